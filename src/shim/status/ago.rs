//! How long ago something was, as people say it.

use crate::shim::http::http_date;
use crate::text;
use crate::text::Text;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The time from `then` to `now`, both in seconds since 1970, in the unit in which a person would tell
/// it; of what is long past, the date. What seems to come yet has been now: clocks are set.
pub(crate) fn ago(now: u64, then: u64) -> Text {
    let seconds = now.saturating_sub(then);
    let (minutes, hours, days) = (seconds / MINUTE, seconds / HOUR, seconds / DAY);
    if minutes == 0 {
        text!("just now", "刚刚")
    } else if hours == 0 {
        text!("{minutes} min ago", "{minutes} 分钟前")
    } else if days < 2 {
        text!("{hours} h ago", "{hours} 小时前")
    } else if days < 60 {
        text!("{days} days ago", "{days} 天前")
    } else {
        Text::verbatim(http_date::rfc3339(then).get(..10).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    #[test]
    fn times_are_told_as_people_do() {
        let now = 1_800_000_000;
        for (seconds, en, zh) in [
            (0, "just now", "刚刚"),
            (59, "just now", "刚刚"),
            (60, "1 min ago", "1 分钟前"),
            (3_599, "59 min ago", "59 分钟前"),
            (3_600, "1 h ago", "1 小时前"),
            (2 * DAY - 1, "47 h ago", "47 小时前"),
            (2 * DAY, "2 days ago", "2 天前"),
            (60 * DAY, "2026-11-16", "2026-11-16"),
        ] {
            let text = ago(now, now - seconds);
            assert_eq!((text.get(Lang::En), text.get(Lang::Zh)), (en, zh));
        }
        assert_eq!(ago(now, now + 9).get(Lang::En), "just now");
    }
}
