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

#[cfg(test)]
mod tests {
    use super::datetime;

    #[test]
    fn known_moments_are_written_as_xep_0082_wants() {
        assert_eq!(datetime(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(datetime(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(datetime(951_868_800_000), "2000-03-01T00:00:00.000Z");
        assert_eq!(datetime(1_795_353_071_042), "2026-11-22T13:11:11.042Z");
        assert_eq!(datetime(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
        assert_eq!(datetime(4_107_542_400_000), "2100-03-01T00:00:00.000Z");
    }
}
