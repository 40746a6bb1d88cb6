//! Moments as people write them: RFC 3339, and what Kafka's tools take for `--to-datetime`. The calendar is Howard
//! Hinnant's days-from-civil.

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A moment in milliseconds since 1970.
pub(in crate::cli) type Instant = i64;

/// RFC 3339 in UTC; with milliseconds when there are any.
pub(in crate::cli) fn rfc3339(millis: Instant) -> String {
    let (days, of_day) = (millis.div_euclid(DAY_MS), millis.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    let (hour, minute, second, rest) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60, of_day % 1000);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}") };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Reads `2026-01-31T10:20:30.5+01:00`; the time, its seconds, their fraction and the zone may be left out (UTC).
pub(in crate::cli) fn parse_instant(text: &str) -> Option<Instant> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let mut parts = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    let days = days(year, month, day);
    if civil(days) != (year, month, day) {
        return None;
    }
    let (clock, zone) = split_zone(time)?;
    Some(days * DAY_MS + clock_millis(clock)? - zone)
}

/// A time of day without its zone, and the zone in milliseconds east.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, 0)) };
    let (clock, zone) = time.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone[1..].chars().filter(|one| *one != ':').collect();
    let padded = if digits.len() == 2 { format!("{digits}00") } else { digits };
    let number: i64 = (padded.len() == 4).then(|| padded.parse().ok())??;
    let (hours, minutes) = (number / 100, number % 100);
    (hours <= 18 && minutes < 60).then_some((clock, sign * (hours * 60 + minutes) * 60_000))
}

fn clock_millis(clock: &str) -> Option<i64> {
    if clock.is_empty() {
        return Some(0);
    }
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = whole.splitn(3, ':').map(str::parse::<i64>);
    let (hour, minute) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let second = parts.next().transpose().ok()?.unwrap_or(0);
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    fits.then_some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

/// Days since 1970 of a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date so many days after 1970 began.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_709_164_799_999), "2024-02-28T23:59:59.999Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn what_is_written_is_read_again() {
        for millis in (-2_000_000_000_000..4_000_000_000_000_i64).step_by(86_399_999_123) {
            assert_eq!(parse_instant(&rfc3339(millis)), Some(millis), "{millis}");
        }
    }

    #[test]
    fn zones_and_parts_left_out_are_read() {
        assert_eq!(parse_instant("1970-01-02"), Some(DAY_MS));
        assert_eq!(parse_instant("1970-01-01T01:00:00.5+01:00"), Some(500));
        assert_eq!(parse_instant("1970-01-01T00:00-0130"), Some(5_400_000));
        for wrong in ["", "1970", "1970-02-30", "1970-01-01T25:00", "1970-01-01T00:00+99:00", "x-y-z"] {
            assert_eq!(parse_instant(wrong), None, "{wrong}");
        }
    }
}
