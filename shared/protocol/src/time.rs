//! Instants as whole seconds since the Unix epoch, the unit of every protocol we speak (RFC 7519 §2 `NumericDate`).

use std::ops::{Add, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that lies `seconds` after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Whether something that lives until `self` is over at `now`. The instant itself is already outside.
    pub fn has_passed(self, now: Self) -> bool {
        self <= now
    }

    /// The calendar day in UTC, as `YYYY-MM-DD`.
    pub fn day(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The instant as HTTP headers write it, such as `Sat, 28 Jun 2025 07:00:00 GMT` (RFC 9110 §5.6.7).
    pub fn http_date(self) -> String {
        let (year, month, day) = self.civil();
        let name = |names: &'static str, number: i64| {
            let start = usize::try_from(number * 3).unwrap_or_default();
            names.get(start..start + 3).unwrap_or_default()
        };
        // The epoch was a Thursday.
        let weekday = name("ThuFriSatSunMonTueWed", self.0.div_euclid(86_400).rem_euclid(7));
        let month = name("JanFebMarAprMayJunJulAugSepOctNovDec", month - 1);
        let second = self.0.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }

    /// Year, month and day in UTC.
    fn civil(self) -> (i64, i64, i64) {
        // Civil-from-days, with March as the first month so that the leap day is a year's last.
        let days = self.0.div_euclid(86_400) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }
}

impl Add<Seconds> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Seconds) -> Self {
        Self(self.0.saturating_add(rhs.0))
    }
}

impl Sub<Seconds> for Timestamp {
    type Output = Self;
    fn sub(self, rhs: Seconds) -> Self {
        Self(self.0.saturating_sub(rhs.0))
    }
}

/// A length of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Seconds(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_utc_and_know_leap_years() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (86_400, "1970-01-02"),
            (951_782_400, "2000-02-29"),
            (1_709_164_800, "2024-02-29"),
            (4_107_542_400, "2100-03-01"),
            (-1, "1969-12-31"),
        ] {
            assert_eq!(Timestamp::from_seconds(seconds).day(), day);
        }
    }

    #[test]
    fn http_dates_have_weekday_and_time() {
        for (seconds, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (1_751_094_000, "Sat, 28 Jun 2025 07:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] {
            assert_eq!(Timestamp::from_seconds(seconds).http_date(), date);
        }
    }

    #[test]
    fn the_end_of_a_life_is_outside_it() {
        let end = Timestamp::from_seconds(10);
        assert!(!end.has_passed(Timestamp::from_seconds(9)));
        assert!(end.has_passed(Timestamp::from_seconds(10)));
    }
}
