//! What of the webhooks a person wants to see, and in which order: what the address of the page says.
//!
//! Invariants: every address means something, since what is not understood is left out; a page shows so
//! many webhooks at most, however long the map is.

use std::cmp::Reverse;
use std::fmt::Write as _;

use super::webhook_report::{Fate, Webhook};
use crate::text::Lang;

/// Webhooks on one page.
const PER_PAGE: usize = 200;
/// The longest text that is looked for.
const LONGEST: usize = 200;

/// The order of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    /// Those that somebody has to look at first.
    #[default]
    Failures,
    /// By the name of the plugin.
    Plugin,
    /// Those that were called last first.
    LastCall,
    /// Those that are called most first.
    Calls,
    /// Those that were silent longest first.
    Silence,
}

impl Sort {
    /// All, in the order in which they are offered.
    pub(super) const ALL: [Self; 5] = [
        Self::Failures,
        Self::Plugin,
        Self::LastCall,
        Self::Calls,
        Self::Silence,
    ];

    /// The name in addresses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::Plugin => "plugin",
            Self::LastCall => "last_call",
            Self::Calls => "calls",
            Self::Silence => "silence",
        }
    }

    fn apply(self, webhooks: &mut [Webhook]) {
        match self {
            Self::Failures => webhooks.sort_by_key(|webhook| {
                let failure = webhook.last_failure().map(|call| call.time);
                (webhook.fate, Reverse(failure))
            }),
            Self::Plugin => webhooks.sort_by_cached_key(|webhook| {
                (webhook.plugin.to_lowercase(), webhook.endpoint.clone())
            }),
            Self::LastCall => webhooks.sort_by_key(|webhook| Reverse(webhook.last)),
            Self::Calls => webhooks.sort_by_key(|webhook| Reverse(webhook.calls)),
            Self::Silence => webhooks.sort_by_key(|webhook| webhook.last),
        }
    }
}

/// What a person wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    /// What has to be in a name, an URL, a sender or a delivery.
    pub(super) text: String,
    /// How those fare that are shown; none for all.
    pub(super) show: Option<Fate>,
    /// Their order.
    pub(super) sort: Sort,
    /// The language, if another than that of the shim.
    pub(super) lang: Option<Lang>,
    /// Whether the page loads itself again.
    pub(super) refresh: bool,
    /// The page, from 0.
    pub(super) page: usize,
}

/// The webhooks of one plugin.
#[derive(Debug)]
pub(super) struct Group {
    /// The plugin.
    pub(super) plugin: String,
    /// Those of them that are shown.
    pub(super) webhooks: Vec<Webhook>,
}

/// What is shown.
#[derive(Debug)]
pub(super) struct Selection {
    /// The webhooks of this page.
    pub(super) groups: Vec<Group>,
    /// How many there are on all pages.
    pub(super) all: usize,
    /// How many pages there are; never 0.
    pub(super) pages: usize,
    /// The page that is shown.
    pub(super) page: usize,
}

impl View {
    /// What the pairs of a query say.
    pub(super) fn of(pairs: &[(String, String)]) -> Self {
        let mut view = Self::default();
        for (key, value) in pairs {
            match key.as_str() {
                "q" => view.text = value.trim().chars().take(LONGEST).collect(),
                "show" => view.show = Fate::ALL.into_iter().find(|fate| fate.name() == value),
                "sort" => {
                    let known = Sort::ALL.into_iter().find(|sort| sort.name() == value);
                    view.sort = known.unwrap_or_default();
                }
                "lang" => {
                    view.lang = match value.as_str() {
                        "en" => Some(Lang::En),
                        "zh" => Some(Lang::Zh),
                        _ => None,
                    }
                }
                "refresh" => view.refresh = value == "1",
                "page" => view.page = value.parse::<usize>().unwrap_or(1).max(1) - 1,
                _ => {}
            }
        }
        view
    }

    /// The address of this view.
    pub(super) fn address(&self) -> String {
        let lang = match self.lang {
            Some(Lang::En) => "en",
            Some(Lang::Zh) => "zh",
            None => "",
        };
        let sort = match self.sort {
            Sort::Failures => "",
            sort => sort.name(),
        };
        let page = match self.page {
            0 => String::new(),
            page => (page + 1).to_string(),
        };
        let pairs = [
            ("q", self.text.as_str()),
            ("show", self.show.map_or("", Fate::name)),
            ("sort", sort),
            ("lang", lang),
            ("refresh", if self.refresh { "1" } else { "" }),
            ("page", &page),
        ];
        let mut address = "/".to_owned();
        for (key, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            address.push(if address.len() == 1 { '?' } else { '&' });
            address.push_str(key);
            address.push('=');
            encode(value, &mut address);
        }
        address
    }

    /// What is shown of `webhooks`, grouped by plugin: a plugin stands where its first webhook does.
    pub(super) fn select(&self, mut webhooks: Vec<Webhook>) -> Selection {
        let text = self.text.to_lowercase();
        webhooks.retain(|webhook| {
            self.show.is_none_or(|fate| fate == webhook.fate) && has(webhook, &text)
        });
        self.sort.apply(&mut webhooks);
        let all = webhooks.len();
        let mut groups: Vec<Group> = Vec::new();
        let mut known = std::collections::HashMap::new();
        for webhook in webhooks {
            let at = *known.entry(webhook.plugin.clone()).or_insert(groups.len());
            if at == groups.len() {
                groups.push(Group {
                    plugin: webhook.plugin.clone(),
                    webhooks: Vec::new(),
                });
            }
            groups[at].webhooks.push(webhook);
        }
        let pages = all.div_ceil(PER_PAGE).max(1);
        let page = self.page.min(pages - 1);
        let mut left_out = page * PER_PAGE;
        let mut room = PER_PAGE;
        for group in &mut groups {
            let before = left_out.min(group.webhooks.len());
            left_out -= before;
            group.webhooks.drain(..before);
            group.webhooks.truncate(room);
            room -= group.webhooks.len();
        }
        groups.retain(|group| !group.webhooks.is_empty());
        Selection {
            groups,
            all,
            pages,
            page,
        }
    }
}

fn has(webhook: &Webhook, text: &str) -> bool {
    let is_in = |part: &str| part.to_lowercase().contains(text);
    text.is_empty()
        || is_in(&webhook.plugin)
        || is_in(&webhook.endpoint)
        || is_in(&webhook.url)
        || webhook.urls.iter().any(|url| {
            let mut senders = url.counts.senders.iter();
            is_in(&url.path) || senders.any(|s| is_in(&s.name) || is_in(&s.address.to_string()))
        })
        || webhook
            .recent
            .iter()
            .any(|(_, call)| is_in(&call.delivery) || is_in(&call.event))
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(pairs: &[(&str, &str)]) -> View {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        View::of(&pairs)
    }

    #[test]
    fn an_address_leads_back_to_its_view() {
        let said = view(&[
            ("q", " a&b=\"中 "),
            ("show", "failing"),
            ("sort", "calls"),
            ("lang", "zh"),
            ("refresh", "1"),
            ("page", "3"),
        ]);
        assert_eq!(
            said.address(),
            "/?q=a%26b%3D%22%E4%B8%AD&show=failing&sort=calls&lang=zh&refresh=1&page=3"
        );
        assert_eq!(View::default().address(), "/");
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        let odd = [
            ("show", "x"),
            ("sort", "x"),
            ("lang", "x"),
            ("page", "-1"),
            ("page", "0"),
            ("x", "y"),
        ];
        assert_eq!(view(&odd), View::default());
        assert_eq!(view(&[("q", &"x".repeat(5_000))]).text.len(), LONGEST);
    }
}
