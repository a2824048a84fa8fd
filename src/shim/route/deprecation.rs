//! The headers that tell of an old URL that it is one: since when, until when, what comes after.

use std::borrow::Cow;
use std::sync::Arc;

use crate::shim::config::Config;
use crate::shim::http::http_date;
use crate::shim::http::target;
use crate::shim::route::old_url::{Destination, OldUrl};

/// The headers `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` as lines. They are the
/// same for every reply of a URL, so they are made once.
pub(super) fn lines(
    config: &Config,
    deprecated_since: u64,
    destinations: &[Arc<Destination>],
) -> Vec<u8> {
    let mut lines = format!("Deprecation: @{deprecated_since}\r\n");
    if let Some(sunset) = config.sunset {
        lines.push_str(&format!("Sunset: {}\r\n", http_date::http_date(sunset)));
    }
    for destination in destinations {
        let url = successor(config, destination);
        // A path with parameters is known only with the request.
        if !destination.has_parameters() {
            lines.push_str(&format!("Link: <{url}>; rel=\"successor-version\"\r\n"));
        }
    }
    lines.into_bytes()
}

/// The headers of a reply of `url` to a request whose path has these pieces in place of the
/// parameters.
pub(crate) fn of<'u>(config: &Config, url: &'u OldUrl, values: &[&[u8]]) -> Cow<'u, [u8]> {
    if values.is_empty() {
        return Cow::Borrowed(&url.deprecation);
    }
    let mut lines = url.deprecation.clone();
    let base = config.public_url.as_deref().unwrap_or_default();
    for destination in url.destinations.iter().filter(|d| d.has_parameters()) {
        lines.extend_from_slice(b"Link: <");
        lines.extend_from_slice(base.as_bytes());
        lines.extend_from_slice(&destination.path(url, values));
        lines.extend_from_slice(b">; rel=\"successor-version\"\r\n");
    }
    Cow::Owned(lines)
}

/// The headers without those that say where the new routes are.
pub(crate) fn without_links(lines: &[u8]) -> Vec<u8> {
    let lines = lines.split_inclusive(|&byte| byte == b'\n');
    lines
        .filter(|line| !line.starts_with(b"Link:"))
        .collect::<Vec<_>>()
        .concat()
}

/// Writes the headers of an old URL behind the headers of a reply of its route. What the route says
/// of itself with `Deprecation` or `Sunset` holds, since neither can be there twice; `Link` is a list,
/// and ours is one more of it.
pub(crate) fn put(deprecation: &[u8], own_deprecation: bool, own_sunset: bool, out: &mut Vec<u8>) {
    if !own_deprecation && !own_sunset {
        out.extend_from_slice(deprecation);
        return;
    }
    for line in deprecation.split_inclusive(|&byte| byte == b'\n') {
        let left_out = own_deprecation && line.starts_with(b"Deprecation:")
            || own_sunset && line.starts_with(b"Sunset:");
        if !left_out {
            out.extend_from_slice(line);
        }
    }
}

/// The new URL as senders have to call it; its parameters stay names.
pub(crate) fn successor(config: &Config, destination: &Destination) -> String {
    let base = config.public_url.as_deref().unwrap_or_default();
    let target = &destination.route.target;
    match destination.has_parameters() {
        true => format!("{base}{target}"),
        false => format!("{base}{}", target::encode(target)),
    }
}
