//! Time as people and headers write it. Pure: the clock is read by the caller.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970 in UTC.
pub(crate) fn now() -> u64 {
    since_epoch().as_secs()
}

/// The time since 1970 in UTC.
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// A date and a time of day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Civil {
    year: i64,
    month: usize,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

/// The days from 1970-01-01 to a date (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", days_from_civil: years begin in March, so that the leap day is their last).
fn days(year: i64, month: usize, day: u64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (month as i64 + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day as i64 - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(seconds: u64) -> Civil {
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = ((from_march + 2) % 12 + 1) as usize;
    let time = seconds % 86_400;
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: (of_year - (153 * from_march + 2) / 5 + 1) as u64,
        hour: time / 3_600,
        minute: time / 60 % 60,
        second: time % 60,
    }
}

/// As in `2026-11-24T03:03:24Z`.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let time = civil(seconds);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        time.year, time.month, time.day, time.hour, time.minute, time.second
    )
}

/// As in `Tue, 24 Nov 2026 03:03:24 GMT`: the form that HTTP headers have.
pub(crate) fn http_date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let time = civil(seconds);
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        DAYS[(seconds / 86_400 % 7) as usize],
        time.day,
        MONTHS[time.month - 1],
        time.year,
        time.hour,
        time.minute,
        time.second
    )
}

/// Reads `2026-12-31` or `2026-12-31T23:59:59Z` (or `+08:00`), from 1970 on.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let fields = |text: &str, separator: char, widths: &[usize]| -> Option<Vec<u64>> {
        let parts: Vec<&str> = text.split(separator).collect();
        let fits = parts.len() == widths.len()
            && parts.iter().zip(widths).all(|(part, &width)| {
                part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit())
            });
        fits.then(|| parts.iter().filter_map(|part| part.parse().ok()).collect())
    };
    let date = fields(date, '-', &[4, 2, 2])?;
    let (year, month, day) = (date[0] as i64, date[1] as usize, date[2]);
    let start = days(year, month, day) * 86_400;
    // A day that is not there (31 April, month 13) becomes another one on the way back.
    let back = civil(u64::try_from(start).ok()?);
    if !(1..=12).contains(&month) || (back.year, back.month, back.day) != (year, month, day) {
        return None;
    }
    let Some(time) = time else {
        return u64::try_from(start).ok();
    };
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at(zone_at);
    let time = fields(time.split('.').next()?, ':', &[2, 2, 2])?;
    if time[0] > 23 || time[1] > 59 || time[2] > 59 {
        return None;
    }
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let hours = fields(&zone[1..], ':', &[2, 2])?;
            let offset = (hours[0] * 3_600 + hours[1] * 60) as i64;
            if zone.starts_with('-') {
                -offset
            } else {
                offset
            }
        }
    };
    let of_day = (time[0] * 3_600 + time[1] * 60 + time[2]) as i64;
    u64::try_from(start + of_day - offset).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_headers_and_logs_have_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn dates_are_read() {
        assert_eq!(parse("1994-11-06T08:49:37Z"), Some(784_111_777));
        assert_eq!(parse("1994-11-06 16:49:37.5+08:00"), Some(784_111_777));
        assert_eq!(parse("2000-02-29"), Some(951_782_400));
        for wrong in [
            "2001-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-1-1",
            "1969-12-31",
            "x",
            "",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+8",
            "２026-01-01",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_day_is_read_back() {
        for day in 0..40_000 {
            let text = rfc3339(day * 86_400);
            assert_eq!(parse(&text), Some(day * 86_400), "{text}");
        }
    }
}
