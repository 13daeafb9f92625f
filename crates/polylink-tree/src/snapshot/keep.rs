//! Which snapshots stay.

use super::Snapshot;

/// A moment in the calendar of the user's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// Year and number of the week that it lies in, as ISO 8601 counts them.
    pub week: (i32, u32),
}

/// From seconds since 1970 (UTC) to the calendar of the user's place.
pub type Calendar<'a> = &'a (dyn Fn(i64) -> Civil + Sync);

/// How many snapshots stay, of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Keep {
    /// The newest ones.
    pub last: u32,
    /// The newest of each hour, for as many hours that have one.
    pub hourly: u32,
    /// Of each day.
    pub daily: u32,
    /// Of each week.
    pub weekly: u32,
    /// Of each month.
    pub monthly: u32,
    /// Of each year.
    pub yearly: u32,
}

impl Keep {
    /// Reads `daily=7,weekly=4`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a sentence without a full stop.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keep = Self::default();
        for part in text.split(',') {
            let (what, number) = part
                .split_once('=')
                .ok_or_else(|| format!("'{part}' is not of the form daily=7"))?;
            let number = number
                .trim()
                .parse()
                .map_err(|_| format!("'{number}' is not a number of snapshots"))?;
            let field = match what.trim() {
                "last" => &mut keep.last,
                "hourly" => &mut keep.hourly,
                "daily" => &mut keep.daily,
                "weekly" => &mut keep.weekly,
                "monthly" => &mut keep.monthly,
                "yearly" => &mut keep.yearly,
                other => {
                    return Err(format!(
                        "'{other}' is none of last, hourly, daily, weekly, monthly and yearly"
                    ));
                }
            };
            *field = number;
        }
        if keep == Self::default() {
            return Err("it would keep none".into());
        }
        Ok(keep)
    }
}

/// The snapshots that go, by their places in `all`, which is in the order in which they were made; a clock that was set
/// back may have given a later one an earlier time. In each hour, day, week, month and
/// year the newest complete one counts, an incomplete one only where there is no other. The newest of all and the newest
/// complete one never go.
pub(crate) fn dropped(all: &[Snapshot], keep: &Keep, calendar: Calendar<'_>) -> Vec<usize> {
    let mut stays = vec![false; all.len()];
    let newest_complete = all.iter().rposition(|snapshot| snapshot.complete);
    for at in [all.len().checked_sub(1), newest_complete].into_iter().flatten() {
        stays[at] = true;
    }
    let complete = (0..all.len()).rev().filter(|at| all[*at].complete);
    for at in complete.take(keep.last as usize) {
        stays[at] = true;
    }
    type Key = fn(&Civil) -> (i32, u32, u32, u32);
    let rules: [(u32, Key); 5] = [
        (keep.hourly, |c| (c.year, c.month, c.day, c.hour)),
        (keep.daily, |c| (c.year, c.month, c.day, 0)),
        (keep.weekly, |c| (c.week.0, c.week.1, 0, 0)),
        (keep.monthly, |c| (c.year, c.month, 0, 0)),
        (keep.yearly, |c| (c.year, 0, 0, 0)),
    ];
    let civil: Vec<Civil> = all.iter().map(|snapshot| calendar(snapshot.time)).collect();
    for (number, key) in rules {
        // which one stands for each bucket, those first that have the latest snapshots
        let mut buckets: Vec<((i32, u32, u32, u32), usize)> = Vec::new();
        for at in (0..all.len()).rev() {
            let bucket = key(&civil[at]);
            match buckets.iter().position(|(known, _)| *known == bucket) {
                Some(known) => {
                    let chosen = &mut buckets[known].1;
                    if all[at].complete && !all[*chosen].complete {
                        *chosen = at;
                    }
                }
                None if buckets.len() < number as usize => buckets.push((bucket, at)),
                None => {}
            }
        }
        for (_, chosen) in buckets {
            stays[chosen] = true;
        }
    }
    (0..all.len()).filter(|at| !stays[*at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A calendar of 10 hours a day, 5 days a week, 20 days a month, 10 months a year.
    fn civil(hours: i64) -> Civil {
        let (days, hour) = (hours.div_euclid(10), hours.rem_euclid(10));
        let (months, year) = (days.div_euclid(20), days.div_euclid(200));
        Civil {
            year: year as i32,
            month: months.rem_euclid(10) as u32,
            day: days.rem_euclid(20) as u32,
            hour: hour as u32,
            week: (year as i32, days.rem_euclid(200).div_euclid(5) as u32),
        }
    }

    fn snapshots(times: &[i64]) -> Vec<Snapshot> {
        times
            .iter()
            .map(|&time| Snapshot {
                name: format!("{time}").as_str().into(),
                time: time.abs(),
                number: 0,
                complete: time >= 0,
            })
            .collect()
    }

    fn kept(times: &[i64], rules: &str) -> Vec<i64> {
        let all = snapshots(times);
        let dropped = dropped(&all, &Keep::parse(rules).unwrap(), &civil);
        (0..all.len())
            .filter(|at| !dropped.contains(at))
            .map(|at| times[at])
            .collect()
    }

    #[test]
    fn the_newest_of_each_day_stays_for_as_many_days_as_there_are() {
        assert_eq!(kept(&[1, 5, 12, 19, 40, 41], "daily=2"), [19, 41]);
        assert_eq!(kept(&[1, 5, 12, 19, 40, 41], "daily=3"), [5, 19, 41]);
        assert_eq!(kept(&[1, 5, 12, 19, 40, 41], "daily=30"), [5, 19, 41]);
        assert_eq!(kept(&[1, 5, 12, 19, 40, 41], "last=2,yearly=1"), [40, 41]);
    }

    #[test]
    fn a_clock_that_was_set_back_takes_no_day_twice_and_not_the_newest() {
        assert_eq!(kept(&[1, 12, 21, 13, 5], "daily=2"), [13, 5]);
        assert_eq!(kept(&[1, 12, 21, 13, 5], "last=1"), [5]);
        assert_eq!(kept(&[1, 12, 21, 13, 5], "daily=3"), [21, 13, 5]);
    }

    #[test]
    fn rules_add_up() {
        let all: Vec<i64> = (0..600).collect();
        assert_eq!(
            kept(&all, "last=2,hourly=3,daily=2,weekly=2,monthly=2,yearly=5"),
            [399, 549, 589, 597, 598, 599]
        );
    }

    #[test]
    fn an_incomplete_one_counts_only_where_there_is_no_other() {
        assert_eq!(kept(&[1, -5, 12, -13], "daily=2"), [1, 12, -13]);
        assert_eq!(kept(&[1, -12, 21], "daily=3"), [1, -12, 21]);
        assert_eq!(kept(&[1, -12, -13], "last=1"), [1, -13]);
        assert_eq!(kept(&[-12, -13], "last=1"), [-13]);
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        for text in ["", "daily", "daily=x", "minutely=3", "daily=0", "daily=-1"] {
            assert!(Keep::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            Keep::parse("daily=7, weekly=4").unwrap(),
            Keep {
                daily: 7,
                weekly: 4,
                ..Keep::default()
            }
        );
    }
}
