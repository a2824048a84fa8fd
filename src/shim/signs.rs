//! The signs on the reply of an old URL that it is one: since when, until when, what comes after.

use std::sync::Arc;

use super::clock;
use super::config::Config;
use super::path;
use super::table::Destination;

/// The headers `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` as lines. They are the
/// same for every reply of a URL, so they are made once.
pub fn lines(config: &Config, deprecated_since: u64, destinations: &[Arc<Destination>]) -> Vec<u8> {
    let mut lines = format!("Deprecation: @{deprecated_since}\r\n");
    if let Some(sunset) = config.sunset {
        lines.push_str(&format!("Sunset: {}\r\n", clock::http_date(sunset)));
    }
    for destination in destinations {
        let url = successor(config, &destination.route.target);
        // A path with parameters is a template (RFC 6570), which the target of a link cannot be.
        if !destination.has_parameters() {
            lines.push_str(&format!("Link: <{url}>; rel=\"successor-version\"\r\n"));
        }
    }
    lines.into_bytes()
}

/// The new URL as senders have to call it.
pub fn successor(config: &Config, target: &str) -> String {
    let base = config.public_url.as_deref().unwrap_or_default();
    format!("{base}{}", path::encode(target))
}
