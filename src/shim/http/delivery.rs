//! What senders call a delivery and its event: the names under which both sides can speak about one
//! request.

use crate::shim::http::head::Head;

/// Headers that name a delivery, those of one sender alone first.
const IDS: &[&str] = &[
    "x-github-delivery",
    "x-forgejo-delivery",
    "x-gitea-delivery",
    "x-gogs-delivery",
    "x-gitlab-event-uuid",
    "webhook-id",
    "svix-id",
    "x-request-uuid",
    "x-shopify-webhook-id",
    "linear-delivery",
    "idempotency-key",
];
/// Headers that name an event.
const EVENTS: &[&str] = &[
    "x-forgejo-event",
    "x-gitea-event",
    "x-gogs-event",
    "x-github-event",
    "x-gitlab-event",
    "x-gitee-event",
    "x-event-key",
    "x-shopify-topic",
    "linear-event",
];
/// The longest name that is kept of what a sender chose.
const LONGEST: usize = 128;

/// A delivery, as its sender names it; empty where it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Delivery<'h> {
    /// The delivery.
    pub(crate) id: &'h [u8],
    /// What happened.
    pub(crate) event: &'h [u8],
}

impl<'h> Delivery<'h> {
    /// What the head of a request says of it.
    pub(crate) fn of(head: &'h Head) -> Self {
        let (mut id, mut event) = (Found::default(), Found::default());
        for (_, name, value) in head.lines() {
            // All of them begin so: other headers cost one comparison.
            if !matches!(
                name.first(),
                Some(b'x' | b'X' | b'w' | b'W' | b's' | b'S' | b'l' | b'L' | b'i' | b'I')
            ) {
                continue;
            }
            id.look(IDS, name, value);
            event.look(EVENTS, name, value);
        }
        Self {
            id: id.value,
            event: event.value,
        }
    }
}

/// The value of the header that stands first in a list.
#[derive(Default)]
struct Found<'h> {
    /// Its place, from 1.
    place: usize,
    value: &'h [u8],
}

impl<'h> Found<'h> {
    fn look(&mut self, names: &[&str], name: &[u8], value: &'h [u8]) {
        let same = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
        if let Some(place) = names.iter().position(same)
            && (self.place == 0 || place + 1 < self.place)
        {
            self.place = place + 1;
            self.value = &value[..value.len().min(LONGEST)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(lines: &str) -> (String, String) {
        let mut head = Head::default();
        let text = format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        head.read_request(text.as_bytes()).unwrap();
        let delivery = Delivery::of(&head);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(delivery.id), text(delivery.event))
    }

    #[test]
    fn deliveries_are_named_as_their_senders_name_them() {
        for (lines, id, event) in [
            ("", "", ""),
            (
                "X-GitHub-Delivery: 1\r\nX-GitHub-Event: push\r\n",
                "1",
                "push",
            ),
            // Gitea sends all of these.
            (
                "X-GitHub-Delivery: 1\r\nX-Gogs-Event: a\r\nX-Gitea-Delivery: 2\r\nX-Gitea-Event: b\r\n",
                "1",
                "b",
            ),
            ("webhook-id: msg_1\r\n", "msg_1", ""),
            (
                "X-Gitlab-Event-UUID: u\r\nX-Gitlab-Event: Push Hook\r\n",
                "u",
                "Push Hook",
            ),
        ] {
            let expected = (id.to_owned(), event.to_owned());
            assert_eq!(delivery(lines), expected, "{lines}");
        }
        let long = delivery(&format!("webhook-id: {}\r\n", "x".repeat(500)));
        assert_eq!(long.0.len(), LONGEST);
    }
}
