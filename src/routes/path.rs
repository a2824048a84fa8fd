//! Which paths a route map may have.
//!
//! Why: a target is sent to the agent and written into configurations of other servers. A path that
//! one of them reads differently could lead to the agent's own API.

use crate::term;
use crate::text;
use crate::text::Text;

/// What the paths of all plugins' own routes begin with.
const PLUGINS: &str = "/plugins/";

/// Why a path of the map cannot be one, or not for everybody who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathFault {
    /// It is not below `/plugins/`, or leads out of it.
    NotBelowPlugins,
    /// It does not begin with `/`.
    NoSlash,
    /// It has a `?` or a `#`, where the path of a request ends.
    Query,
    /// It has a control character.
    Control,
}

impl PathFault {
    pub(super) fn of_target(path: &str) -> Option<Self> {
        let Some(mut rest) = path.strip_prefix(PLUGINS).map(str::to_owned) else {
            return Some(Self::NotBelowPlugins);
        };
        if rest.is_empty() || rest.starts_with(['/', '\\']) {
            return Some(Self::NotBelowPlugins);
        }
        let slashes = |text: &str| text.matches('/').count();
        let written = slashes(&rest);
        loop {
            if let Some(fault) = Self::of_characters(&rest) {
                return Some(fault);
            }
            // Some servers take `..;x` for `..`.
            let leads_upwards = |segment: &str| {
                let name = segment.split(';').next();
                matches!(name, Some("." | ".."))
            };
            if rest.split(['/', '\\']).any(leads_upwards) || slashes(&rest) != written {
                return Some(Self::NotBelowPlugins);
            }
            let decoded = decoded(&rest);
            if decoded == rest {
                return None;
            }
            rest = decoded;
        }
    }

    pub(super) fn of_legacy(path: &str) -> Option<Self> {
        let no_slash = (!path.starts_with('/')).then_some(Self::NoSlash);
        no_slash.or_else(|| Self::of_characters(path))
    }

    /// That `path`, which is a `kind` of `plugin`, has this fault.
    pub(super) fn text(self, kind: (&str, &str), path: &str, plugin: &str) -> Text {
        let (why, why_zh) = match self {
            Self::NotBelowPlugins => (
                "is not a path below /plugins/, where the routes of plugins are",
                "不是 /plugins/ 之下的路径，而插件的路由都在那里",
            ),
            Self::NoSlash => ("does not begin with `/`", "不以 `/` 开头"),
            Self::Query => (
                "contains `?` or `#`, where the path of a request ends",
                "含有 `?` 或 `#`，而请求的路径到此为止",
            ),
            Self::Control => (
                "contains a control character, such as a line break",
                "含有控制字符（例如换行符）",
            ),
        };
        let (kind, kind_zh) = kind;
        text!(
            "the {kind} `{0}` of {1} {why}",
            "{1} 的{kind_zh} `{0}` {why_zh}",
            term::escaped(path),
            term::escaped(plugin)
        )
    }

    fn of_characters(path: &str) -> Option<Self> {
        if path.chars().any(char::is_control) {
            Some(Self::Control)
        } else if path.contains(['?', '#']) {
            Some(Self::Query)
        } else {
            None
        }
    }
}

/// Whether a path, which is decoded, is one below [`PLUGINS`] for everybody: no scheme or host, no
/// segment that leads upwards, and nothing that ends the path, also where a reader takes `\\` for a
/// separator, a segment to end at `;`, or decodes it again.
pub fn stays_below_plugins(path: &str) -> bool {
    PathFault::of_target(path).is_none()
}

/// A text with each `%` and two hexadecimal digits replaced by the byte that they stand for. Shorter
/// than the text, unless it is the same.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    let mut output = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                output.push(u8::try_from(high * 16 + low).unwrap_or(byte));
                at += 3;
            }
            _ => {
                output.push(byte);
                at += 1;
            }
        }
    }
    // What is not UTF-8 is neither a dot nor a separator.
    String::from_utf8(output).unwrap_or_else(|error| {
        error
            .into_bytes()
            .iter()
            .map(|&byte| char::from(byte))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stays_below_the_plugins() {
        for path in [
            "/plugins/a.b/c",
            "/plugins/a.b//c",
            "/plugins/a.b/",
            "/plugins/a.b/{name}/c",
            "/plugins/a.b/中 文",
            "/plugins/a.b/100%",
            "/plugins/a.b/a%20b",
            "/plugins/a.b/a%FF",
            "/plugins/a.b/...",
            "/plugins/a.b/back\\slash",
            "/plugins/a.b/c;v=1/d",
        ] {
            assert!(stays_below_plugins(path), "{path}");
        }
        for path in [
            "",
            "/",
            "/plugins",
            "/plugins/",
            "/plugins//evil.example/a",
            "/api/users",
            "//evil.example/plugins/a.b/c",
            "http://evil.example/plugins/a.b/c",
            "plugins/a.b/c",
            "/plugins/../api",
            "/plugins/a.b/../../api",
            "/plugins/a.b/./c",
            "/plugins/a.b/..",
            "/plugins/a.b/%2e%2E/c",
            "/plugins/a.b/.%2e/c",
            "/plugins/a.b/%252e%252e/c",
            "/plugins/a.b%2f..%2fapi",
            "/plugins/a.b/%5c..%5c",
            "/plugins/a.b\\..\\api",
            "/plugins/\\evil.example",
            "/plugins/a.b/\r\nHost: x",
            "/plugins/a.b/%00",
            "/plugins/a.b/c?x",
            "/plugins/a.b/c#y",
            "/plugins/a.b/c%3Fx",
            "/plugins/a.b/..;/x",
            "/plugins/a.b/..;v=1/x",
            "/plugins/a.b/.%3b/x",
        ] {
            assert!(!stays_below_plugins(path), "{path}");
        }
    }
}
