//! Points in time as SAML writes them: `xs:dateTime` in UTC (saml-core §1.3.3), read as leniently as identity providers
//! need it: with fractions of a second of any length, and with offsets.

use super::Refused;
use crate::time::Timestamp;

/// Reads `2026-11-22T20:30:00Z`, `…00.1234567Z`, `…+01:00`. Fractions are dropped.
pub fn parse(text: &str) -> Result<Timestamp, Refused> {
    read(text).ok_or(Refused::Instant)
}

fn read(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone = time.find(['Z', '+', '-'])?;
    let (time, zone) = (time.get(..zone)?, time.get(zone..)?);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(whole, ':', [2, 2, 2])?;
    let is_number = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let is_time = hour <= 23 && minute <= 59 && second <= 59;
    if !is_number || !is_time || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let offset = match zone.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign, offset) => {
            let [hours, minutes] = numbers(offset, ':', [2, 2])?;
            let seconds = (hours <= 14 && minutes <= 59).then_some(hours * 3_600 + minutes * 60)?;
            if sign == "-" { -seconds } else { seconds }
        }
    };
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Timestamp::from_seconds(seconds - offset))
}

/// Numbers of exactly so many digits each.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part =
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|digit| digit.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, counted in years that begin in March, so that the leap day is the last.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// Writes `2026-11-22T20:30:00Z`.
pub fn write(at: Timestamp) -> String {
    let second = at.seconds().rem_euclid(86_400);
    format!("{}T{:02}:{:02}:{:02}Z", at.day(), second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_identity_providers_write_is_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2024-02-29T23:59:59.9999999Z", 1_709_251_199),
            ("2025-06-28T07:00:00+00:00", 1_751_094_000),
            ("2025-06-28T09:30:00.5+02:30", 1_751_094_000),
            ("2025-06-28T02:00:00-05:00", 1_751_094_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(parse(text), Ok(Timestamp::from_seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2025-06-28",
            "2025-06-28T07:00:00",
            "2025-06-28 07:00:00Z",
            "2025-6-28T07:00:00Z",
            "2025-13-01T07:00:00Z",
            "2025-02-29T07:00:00Z",
            "2025-06-00T07:00:00Z",
            "2025-06-28T24:00:00Z",
            "2025-06-28T07:60:00Z",
            "2025-06-28T07:00:60Z",
            "2025-06-28T07:00Z",
            "2025-06-28T07:00:00.Z",
            "2025-06-28T07:00:00.1.2Z",
            "2025-06-28T07:00:00Zulu",
            "2025-06-28T07:00:00+1:00",
            "2025-06-28T07:00:00+15:00",
            "+025-06-28T07:00:00Z",
            "12025-06-28T07:00:00Z",
            "2025-06-28T07:00:00é",
        ] {
            assert_eq!(parse(text), Err(Refused::Instant), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for seconds in [-1, 0, 951_782_400, 1_709_251_199, 4_107_542_400] {
            let at = Timestamp::from_seconds(seconds);
            assert_eq!(parse(&write(at)), Ok(at));
        }
    }
}
