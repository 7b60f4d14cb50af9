//! Working hours: days of the week and hours of the day in a time zone, and the working time between two moments.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// Working time is counted over at most so many days.
const MAX_DAYS: i64 = 400;
const MINUTES_OF_DAY: u32 = 24 * 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingHours {
    pub days: WorkingDays,
    pub hours: DailyHours,
    pub zone: Tz,
}

/// Days of the week, from Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingDays([bool; 7]);

/// Hours of a day, as minutes since midnight. The end is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyHours {
    begin: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a list of days or ranges of days, such as mon-fri or sun-wed,fri")]
pub struct InvalidDays;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a begin and a later end, such as 08:00-18:00")]
pub struct InvalidHours;

impl WorkingHours {
    /// Returns true if this moment is in working hours.
    pub fn contain(&self, moment: DateTime<Utc>) -> bool {
        let (begin, end) = self.bounds(self.local_date(moment));
        self.is_working_day(moment) && (begin..end).contains(&moment)
    }

    /// Returns the working time between two moments; zero if the first one is the later one.
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> TimeDelta {
        let from = from.max(to - TimeDelta::days(MAX_DAYS));
        let mut time = TimeDelta::zero();
        let mut date = self.local_date(from);
        while from < to && date <= self.local_date(to) {
            if self.days.has(date.weekday()) {
                let (begin, end) = self.bounds(date);
                time += (end.min(to) - begin.max(from)).max(TimeDelta::zero());
            }
            let Some(next) = date.succ_opt() else { break };
            date = next;
        }
        time
    }

    fn is_working_day(&self, moment: DateTime<Utc>) -> bool {
        self.days.has(self.local_date(moment).weekday())
    }

    fn local_date(&self, moment: DateTime<Utc>) -> NaiveDate {
        moment.with_timezone(&self.zone).date_naive()
    }

    fn bounds(&self, date: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.moment(date, self.hours.begin), self.moment(date, self.hours.end))
    }

    /// A time that the clocks skip is that of an hour later; one that they repeat is the first one.
    fn moment(&self, date: NaiveDate, minutes: u32) -> DateTime<Utc> {
        let local = date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes.into());
        let at = |hours| {
            self.zone
                .from_local_datetime(&(local + TimeDelta::hours(hours)))
                .earliest()
        };
        at(0)
            .or_else(|| at(1))
            .map_or_else(|| Utc.from_utc_datetime(&local), |moment| moment.to_utc())
    }
}

impl WorkingDays {
    fn has(self, day: Weekday) -> bool {
        self.0[day.num_days_from_monday() as usize]
    }
}

impl FromStr for WorkingDays {
    type Err = InvalidDays;

    fn from_str(text: &str) -> Result<Self, InvalidDays> {
        let day = |text: &str| text.trim().parse::<Weekday>().map_err(|_| InvalidDays);
        let mut days = [false; 7];
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (mut each, last) = (day(first)?, day(last)?);
            loop {
                days[each.num_days_from_monday() as usize] = true;
                if each == last {
                    break;
                }
                each = each.succ();
            }
        }
        Ok(Self(days))
    }
}

impl FromStr for DailyHours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let (begin, end) = text.split_once('-').ok_or(InvalidHours)?;
        let hours = Self {
            begin: minutes(begin)?,
            end: minutes(end)?,
        };
        (hours.begin < hours.end).then_some(hours).ok_or(InvalidHours)
    }
}

fn minutes(text: &str) -> Result<u32, InvalidHours> {
    let (hour, minute) = text.trim().split_once(':').ok_or(InvalidHours)?;
    let number = |text: &str, max: u32| text.parse::<u32>().ok().filter(|number| *number <= max);
    let minutes = number(hour, 24).zip(number(minute, 59));
    let minutes = minutes.map(|(hour, minute)| hour * 60 + minute);
    minutes.filter(|it| *it <= MINUTES_OF_DAY).ok_or(InvalidHours)
}

impl fmt::Display for DailyHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { begin, end } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", begin / 60, begin % 60, end / 60, end % 60)
    }
}

#[cfg(test)]
mod tests;
