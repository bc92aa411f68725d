//! Instants as whole seconds since the Unix epoch, the unit of every protocol we speak (RFC 7519 §2 `NumericDate`).

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
        // Civil-from-days, with March as the first month so that the leap day is a year's last.
        let days = self.0.div_euclid(86_400) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    fn the_end_of_a_life_is_outside_it() {
        let end = Timestamp::from_seconds(10);
        assert!(!end.has_passed(Timestamp::from_seconds(9)));
        assert!(end.has_passed(Timestamp::from_seconds(10)));
    }
}
