//! The time at which a request was signed, as its sender writes it.

use std::time::Duration;

/// How far the time of a signature may be from ours, where nothing is said of it.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// A count of seconds as large as this would be in the year 5138: it counts milliseconds.
const MILLISECONDS: u64 = 100_000_000_000;

/// Whether `time`, in seconds or milliseconds since 1970, is at most `tolerance` away from `now`, in
/// seconds; none when it is no time at all.
pub(super) fn is_fresh(time: &[u8], tolerance: Duration, now: u64) -> Option<bool> {
    if !time.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let time: u64 = std::str::from_utf8(time).ok()?.parse().ok()?;
    let time = match time >= MILLISECONDS {
        true => time / 1_000,
        false => time,
    };
    Some(time.abs_diff(now) <= tolerance.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_near_enough_or_not() {
        let at = |time: &str, now| is_fresh(time.as_bytes(), Duration::from_secs(300), now);
        let now = 1_700_000_000;
        for (time, fresh) in [
            ("1700000000", Some(true)),
            ("1700000300", Some(true)),
            ("1700000301", Some(false)),
            ("1699999700", Some(true)),
            ("1699999699", Some(false)),
            ("1700000300999", Some(true)),
            ("1700000301000", Some(false)),
            ("", None),
            ("+1700000000", None),
            ("1700000000.0", None),
            ("18446744073709551616", None),
        ] {
            assert_eq!(at(time, now), fresh, "{time}");
        }
        assert_eq!(at("18446744073709551615", now), Some(false));
    }
}
