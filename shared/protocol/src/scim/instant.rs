//! Instants as SCIM writes them (RFC 7643 §2.3.5): RFC 3339, which sorts as text only when everybody writes it alike.

use crate::time::Timestamp;

/// An instant to the nanosecond: seconds since the epoch, then the rest. Compares as time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    /// Reads `2011-05-13T04:42:34.5+02:00`. A text without an offset is taken for UTC, which XML's type allows.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(['T', 't'])?;
        let (time, offset) = split_offset(time)?;
        let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(whole, ':', [2, 2, 2])?;
        // 60 is a leap second; it counts as the next second.
        let in_range = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 60;
        if !in_range || fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
        let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        Some(Self { seconds, nanoseconds })
    }
}

/// The instant as we write it in `meta`: UTC, whole seconds.
pub fn write(instant: Timestamp) -> String {
    let second = instant.seconds().rem_euclid(86_400);
    format!("{}T{:02}:{:02}:{:02}Z", instant.day(), second / 3_600, second / 60 % 60, second % 60)
}

/// The time without its offset, and the offset in seconds.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (time, offset) = time.split_at(at);
    let [hour, minute] = numbers(offset.get(1..)?, ':', [2, 2])?;
    let seconds = (hour * 60 + minute) * 60;
    (hour <= 23 && minute <= 59).then(|| (time, if offset.starts_with('-') { -seconds } else { seconds }))
}

/// As many numbers as `widths`, each of exactly so many digits.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400;
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 719_163
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        Instant::parse(text).unwrap_or_else(|| panic!("{text}")).seconds
    }

    #[test]
    fn the_same_instant_in_other_words_is_the_same() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2011-05-13T04:42:34Z", 1_305_261_754),
            ("2011-05-13T06:42:34+02:00", 1_305_261_754),
            ("2011-05-12t23:12:34.000-05:30", 1_305_261_754),
            ("2011-05-13T04:42:34", 1_305_261_754),
            ("2024-02-29T23:59:60Z", 1_709_251_200),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-03-01T00:00:00Z", 951_868_800),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        let parse = |text| Instant::parse(text).unwrap();
        assert!(parse("2011-05-13T04:42:34.5Z") > parse("2011-05-13T04:42:34.123456789123Z"));
        assert!(parse("2011-05-13T04:42:34.1Z") < parse("2011-05-13T04:42:35Z"));
    }

    #[test]
    fn what_is_written_is_read() {
        for instant in [0, 951_868_799, 1_305_261_754, 4_107_542_400, -1] {
            assert_eq!(seconds(&write(Timestamp::from_seconds(instant))), instant);
        }
        assert_eq!(write(Timestamp::from_seconds(1_305_261_754)), "2011-05-13T04:42:34Z");
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for wrong in [
            "",
            "2011-05-13",
            "2011-05-13 04:42:34Z",
            "2011-5-13T04:42:34Z",
            "2011-13-01T00:00:00Z",
            "2011-02-29T00:00:00Z",
            "2011-00-01T00:00:00Z",
            "2011-05-13T24:00:00Z",
            "2011-05-13T04:42Z",
            "2011-05-13T04:42:34.Z",
            "2011-05-13T04:42:34.xZ",
            "2011-05-13T04:42:34+0200",
            "2011-05-13T04:42:34+25:00",
            "2011-05-13T04:42:34Z ",
            "+011-05-13T04:42:34Z",
            "20110-05-13T04:42:34Z",
            "T",
        ] {
            assert_eq!(Instant::parse(wrong), None, "{wrong}");
        }
    }
}
