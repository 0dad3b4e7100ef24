//! Times as the protocol writes them (XEP-0082).

/// `2026-11-22T13:11:00Z` with milliseconds, of milliseconds since the Unix epoch.
pub fn datetime(millis: u64) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The Gregorian date of a day since 1970, counted in eras of 400 years that begin in March, so that a leap day
/// is the last day of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Which side of a moment between two milliseconds is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    Down,
    Up,
}

/// The milliseconds since the Unix epoch of a time such as `datetime` writes, with any fraction of a second and any
/// time zone. A moment before the epoch is the epoch. `None`: it is no time.
pub fn parse(text: &str, round: Round) -> Option<u64> {
    let (date, time) = text.trim().split_once('T')?;
    let (date, is_negative) = (date.strip_prefix('-').unwrap_or(date), date.starts_with('-'));
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let year = if year.len() >= 4 { digits(year, year.len())? } else { return None };
    let (clock, zone) = time.split_at(time.find(['Z', '+', '-'])?);
    let mut parts = clock.splitn(3, ':');
    let (hour, minute, second) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?, parts.next()?);
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let second = digits(second, 2)?;
    let fits = parts.next().is_none()
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && (hour <= 23 && minute <= 59 || hour == 24 && minute == 0 && second == 0)
        && second <= 60;
    if !fits || date.split('-').count() != 3 || year > 9_999_999 {
        return None;
    }
    let millis = fraction_millis(fraction, round)?;
    let days = days_before(year, month, day) - EPOCH;
    let seconds = (days * 24 + hour as i64) * 3600 + (minute * 60 + second) as i64 - zone_seconds(zone)?;
    if is_negative {
        return Some(0);
    }
    Some(u64::try_from(seconds * 1000 + millis as i64).unwrap_or(0))
}

/// Days from the first day of March of the year 0, as `civil` counts, to the Unix epoch.
const EPOCH: i64 = 719_468;

fn digits(text: &str, length: usize) -> Option<u64> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn fraction_millis(fraction: &str, round: Round) -> Option<u64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (millis, rest) = fraction.split_at(fraction.len().min(3));
    let millis = digits(millis, millis.len())? * 10_u64.pow(3 - millis.len() as u32);
    let up = round == Round::Up && rest.bytes().any(|digit| digit != b'0');
    Some(millis + u64::from(up))
}

/// `Z`, or how far ahead of it the clock is.
fn zone_seconds(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60) as i64)
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The reverse of [`civil`], from the same first day.
fn days_before(year: u64, month: u64, day: u64) -> i64 {
    let (year, month) = if month > 2 { (year as i64, month - 3) } else { (year as i64 - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year as i64
}

#[cfg(test)]
mod tests {
    use super::{Round, datetime, parse};

    #[test]
    fn known_moments_are_written_as_xep_0082_wants() {
        assert_eq!(datetime(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(datetime(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(datetime(951_868_800_000), "2000-03-01T00:00:00.000Z");
        assert_eq!(datetime(1_795_353_071_042), "2026-11-22T13:11:11.042Z");
        assert_eq!(datetime(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
        assert_eq!(datetime(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    }
    #[test]
    fn what_is_written_is_read_back() {
        let mut moment = 0;
        while moment < 5_000_000_000_000 {
            assert_eq!(parse(&datetime(moment), Round::Down), Some(moment));
            moment += 86_399_999 * 13 + 7;
        }
    }

    #[test]
    fn fractions_and_time_zones_are_understood() {
        let noon = 1_795_348_800_000;
        for text in [
            "2026-11-22T12:00:00Z",
            "2026-11-22T12:00:00.0Z",
            "2026-11-22T13:00:00+01:00",
            "2026-11-22T06:30:00.000000-05:30",
            "2026-11-21T24:00:00-12:00",
        ] {
            assert_eq!(parse(text, Round::Up), Some(noon), "{text}");
        }
        assert_eq!(parse("2026-11-22T12:00:00.0001Z", Round::Down), Some(noon));
        assert_eq!(parse("2026-11-22T12:00:00.0001Z", Round::Up), Some(noon + 1));
        assert_eq!(parse("2026-11-22T12:00:00.1239Z", Round::Down), Some(noon + 123));
        assert_eq!(parse("1969-12-31T23:59:59Z", Round::Down), Some(0));
        assert_eq!(parse("0000-01-01T00:00:00Z", Round::Down), Some(0));
        assert!(parse("9999999-01-01T00:00:00Z", Round::Down).is_some());
    }

    #[test]
    fn what_is_no_time_is_not_taken_for_one() {
        for text in [
            "",
            "T",
            "now",
            "2026-11-22",
            "2026-11-22T12:00:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-22T25:00:00Z",
            "2026-11-22T12:60:00Z",
            "2026-11-22T12:00:61Z",
            "2026-11-22T12:00:00.Z",
            "2026-11-22T12:00:00.xZ",
            "2026-11-22T12:00:00+1:00",
            "2026-11-22T12:00:00+99:00",
            "2026-1-22T12:00:00Z",
            "+2026-11-22T12:00:00Z",
            "26-11-22T12:00:00Z",
            "99999999999999999999-11-22T12:00:00Z",
            "2026-11-22-01T12:00:00Z",
            "2026-11-22T12:00:00:00Z",
            "2026-11-22T12:00:00ZZ",
            "ü026-11-22T12:00:00Z",
        ] {
            assert_eq!(parse(text, Round::Down), None, "{text}");
        }
    }
}
