//! Stretches of days, in UTC.

use vestibule_protocol::time::{Seconds, Timestamp};

use crate::Broker;
use crate::error::{AdminError, Error};

pub(super) const DAY: Seconds = Seconds(86_400);

/// Which days are asked for.
#[derive(Debug, Clone, Default)]
pub struct Days {
    /// The first, as `YYYY-MM-DD`; with neither, today.
    pub from: Option<String>,
    /// The last; today when left out.
    pub until: Option<String>,
}

impl Days {
    /// The first instants of the first and the last day.
    pub(super) fn read(&self, broker: &Broker) -> Result<(Timestamp, Timestamp), Error> {
        let today = day(&broker.platform.clock.now().day()).ok_or(Error::bug("today is no day"))?;
        let asked = |text: &Option<String>, field| {
            let problem = "must be a day, YYYY-MM-DD";
            text.as_ref().map(|text| day(text).ok_or(AdminError::Invalid { field, problem })).transpose()
        };
        let until = asked(&self.until, "until")?.unwrap_or(today);
        let from = asked(&self.from, "from")?.unwrap_or(until);
        Ok((from, until))
    }
}

/// A day by its first instant.
pub(super) fn day(text: &str) -> Option<Timestamp> {
    let number = |part: Option<&str>| part?.parse::<i64>().ok();
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
    // Days from March on, as `Timestamp::day` counts them; a day that it writes otherwise is none.
    let shifted = (month + 9) % 12;
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * shifted + 2) / 5 + day - 1;
    let instant = Timestamp::from_seconds((era * 146_097 + day_of_era - 719_468) * DAY.0);
    (instant.day() == text).then_some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days() {
        for seconds in [0, 951_782_400, 1_709_164_800, 4_107_542_400, -86_400, 1_750_000_000] {
            let at = Timestamp::from_seconds(seconds);
            assert_eq!(day(&at.day()).map(|day| (day.day(), day <= at)), Some((at.day(), true)));
        }
        for wrong in ["", "today", "2025-6-1", "2025-02-30", "2025-13-01", "2025-00-10", "2025-06-15T00", "20250615"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }
}
