//! What is read of a certificate beside its signature, which is the TLS library's business.

use super::der::{BOOLEAN, Element, Elements, INTEGER, Malformed, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE};
use super::distinguished_name;

/// The extension `subjectAltName`, 2.5.29.17.
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A certificate that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its subject, as Java prints it.
    pub subject: String,
    /// Who issued it, printed alike.
    pub issuer: String,
    /// Whether it is of the first version of the format, without extensions: TLS libraries of today refuse those.
    pub is_version_1: bool,
    /// Begin of its validity, milliseconds since 1970.
    pub not_before_ms: i64,
    /// End of its validity, milliseconds since 1970.
    pub not_after_ms: i64,
    /// Its other names, each as encoded: sorted.
    pub alt_names: Vec<Vec<u8>>,
}

impl Certificate {
    /// Reads a certificate from DER.
    ///
    /// # Errors
    /// When the bytes are no certificate.
    pub fn read(der: &[u8]) -> Result<Self, Malformed> {
        let mut outer = Elements::of(Elements::of(der).expect(SEQUENCE, "no certificate")?.content);
        let mut body = Elements::of(outer.expect(SEQUENCE, "no certificate body")?.content);
        let version = body.optional(VERSION)?;
        body.expect(INTEGER, "no serial number")?;
        body.expect(SEQUENCE, "no signature algorithm")?;
        let issuer = body.expect(SEQUENCE, "no issuer")?;
        let mut validity = Elements::of(body.expect(SEQUENCE, "no validity")?.content);
        let subject = body.expect(SEQUENCE, "no subject")?;
        body.expect(SEQUENCE, "no public key")?;
        let mut alt_names = Vec::new();
        while !body.is_empty() {
            let next = body.next()?;
            if next.tag == EXTENSIONS {
                alt_names = alt_names_of(next)?;
            }
        }
        alt_names.sort();
        Ok(Self {
            subject: distinguished_name::print(subject.whole)?,
            issuer: distinguished_name::print(issuer.whole)?,
            is_version_1: version.is_none(),
            not_before_ms: milliseconds(validity.next()?)?,
            not_after_ms: milliseconds(validity.next()?)?,
            alt_names,
        })
    }
}

fn alt_names_of(extensions: Element<'_>) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut all = Elements::of(Elements::of(extensions.content).expect(SEQUENCE, "no list of extensions")?.content);
    let mut names = Vec::new();
    while !all.is_empty() {
        let mut extension = Elements::of(all.expect(SEQUENCE, "no extension")?.content);
        let kind = extension.expect(OBJECT_IDENTIFIER, "an extension has no type")?;
        extension.optional(BOOLEAN)?;
        let value = extension.expect(OCTET_STRING, "an extension has no value")?;
        if kind.content == SUBJECT_ALT_NAME {
            let mut list = Elements::of(Elements::of(value.content).expect(SEQUENCE, "no list of names")?.content);
            while !list.is_empty() {
                names.push(list.next()?.whole.to_vec());
            }
        }
    }
    Ok(names)
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn milliseconds(time: Element<'_>) -> Result<i64, Malformed> {
    const WRONG: Malformed = Malformed("a time is not of the form YYMMDDHHMMSSZ");
    let year_digits = match time.tag {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return Err(WRONG),
    };
    let digits = time.content.strip_suffix(b"Z").filter(|digits| digits.len() == year_digits + 10).ok_or(WRONG)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(WRONG);
    }
    let number = |part: &[u8]| part.iter().fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0'));
    let (year, rest) = digits.split_at(year_digits);
    let mut pairs = rest.chunks(2).map(number);
    let mut next = || pairs.next().unwrap_or_default();
    let (month, day, hour, minute, second) = (next(), next(), next(), next(), next());
    let year = match (number(year), year_digits) {
        (year, 4) => year,
        (year, _) if year < 50 => 2000 + year,
        (year, _) => 1900 + year,
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(WRONG);
    }
    Ok((((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day
        - 719_469
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by openssl: `/C=DE/O=A, B/CN=broker/emailAddress=x@y.z`, `DNS:localhost,IP:127.0.0.1`, 2026-01-02 to 2056-01-03.
    const CERTIFICATE: &[u8] = include_bytes!("broker.der");

    #[test]
    fn subject_names_and_validity_are_read() {
        let read = Certificate::read(CERTIFICATE).unwrap();
        assert_eq!(read.subject, r"1.2.840.113549.1.9.1=#16057840792e7a,CN=broker,O=A\, B,C=DE");
        assert_eq!(read.issuer, read.subject);
        assert!(!read.is_version_1);
        // date -d '2026-01-02 03:04:05Z' +%s; the second is beyond the reach of a two-digit year.
        assert_eq!((read.not_before_ms, read.not_after_ms), (1_767_323_045_000, 2_714_094_245_000));
        assert_eq!(read.alt_names, [b"\x82\x09localhost".to_vec(), b"\x87\x04\x7f\x00\x00\x01".to_vec()]);
    }

    #[test]
    fn dates_are_counted_as_calendars_do() {
        assert_eq!([days(1970, 1, 1), days(1972, 2, 29), days(1972, 3, 1), days(2000, 3, 1)], [0, 789, 790, 11_017]);
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(at in 0..CERTIFICATE.len(), byte in any::<u8>(), cut in 0..CERTIFICATE.len()) {
            let mut damaged = CERTIFICATE.to_vec();
            damaged[at] = byte;
            damaged.truncate(CERTIFICATE.len() - if byte % 2 == 0 { 0 } else { cut });
            let _ = Certificate::read(&damaged);
        }
    }
}
