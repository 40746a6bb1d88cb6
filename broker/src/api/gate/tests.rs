//! Every SHAPE of the table against the codec, and the gate against bytes that no client sends.

use super::*;
use crate::api::shape::{array, bytes, int32, structs, structure, text, uuid};
use crate::api::table;

mod generate;

use generate::Generator;

/// Whether the gate takes all of these bytes for a body.
fn check_body(shape: &Shape, version: i16, bytes: &[u8]) -> Result<(), Malformed> {
    let (body, _) = whole_body(shape, version, &Bytes::copy_from_slice(bytes))?;
    if body.len() == bytes.len() { Ok(()) } else { Err(Malformed { at: body.len(), reason: "bytes trail the body" }) }
}

/// Requests per API and version: 64, or a quarter of `PROPTEST_CASES`.
fn cases() -> u64 {
    u64::from(proptest::test_runner::Config::default().cases / 4)
}

/// Calls `check` with every row and version, and random requests made from its shape.
fn each_request(cases: u64, mut check: impl FnMut(&crate::api::Row, i16, Generator)) {
    for row in table() {
        for version in row.versions.min..=row.versions.max {
            for seed in 0..cases {
                let salt = i64::from(row.key) << 32 | i64::from(version) << 16;
                check(row, version, Generator::run(&row.shape, version, seed ^ salt.unsigned_abs()));
            }
        }
    }
}

#[test]
fn every_request_made_from_a_shape_is_consumed_exactly_by_the_codec() {
    each_request(cases(), |row, version, made| {
        let body = Bytes::from(made.bytes);
        let checked = (row.check)(&body, version);
        assert_eq!(checked, Ok(()), "{} {version}: {body:?}", row.name);
        let again = (row.recode)(&body, version).unwrap_or_else(|error| panic!("{} {version}: {error}", row.name));
        assert_eq!(check_body(&row.shape, version, &again), Ok(()), "{} {version}: {again:?}", row.name);
        if !made.has_tags {
            assert_eq!(again, body, "{} {version}", row.name);
        }
    });
}

#[test]
fn the_default_request_of_every_version_passes() {
    for row in table() {
        for version in row.versions.min..=row.versions.max {
            if let Some(sample) = (row.sample)(version) {
                assert_eq!((row.check)(&sample, version), Ok(()), "{} {version}", row.name);
            }
        }
    }
}

#[test]
fn what_passes_the_gate_the_codec_accepts_however_it_was_damaged() {
    each_request(cases() / 4 + 1, |row, version, made| {
        for salt in 0..32 {
            let damaged = Bytes::from(generate::damage(&made.bytes, salt));
            if check_body(&row.shape, version, &damaged).is_ok() {
                assert_eq!((row.check)(&damaged, version), Ok(()), "{} {version}: {damaged:?}", row.name);
            }
        }
    });
}

#[test]
fn every_truncated_request_is_refused() {
    each_request(4, |row, version, made| {
        for length in 0..made.bytes.len() {
            let cut = &made.bytes[..length];
            assert!(check_body(&row.shape, version, cut).is_err(), "{} {version} at {length}: {cut:?}", row.name);
        }
    });
}

#[test]
fn every_count_of_two_billion_and_every_negative_one_is_refused() {
    each_request(8, |row, version, made| {
        for count in [i32::MAX, -2, i32::MIN] {
            for place in &made.counts {
                let hostile = made.with_count(place, count, version >= row.shape.flexible);
                assert!(check_body(&row.shape, version, &hostile).is_err(), "{} {version}: {hostile:?}", row.name);
            }
        }
    });
}

#[test]
fn bytes_behind_the_body_are_cut_off() {
    each_request(4, |row, version, made| {
        let trailed = Bytes::from([&made.bytes[..], &[1, 0, 0]].concat());
        let body = whole_body(&row.shape, version, &trailed).map(|(body, _)| body);
        assert_eq!(body.as_deref(), Ok(&made.bytes[..]), "{} {version}", row.name);
        assert_eq!((row.check)(&trailed, version), Ok(()), "{} {version}", row.name);
    });
}

const TEXTS: Shape = Shape { flexible: 1, fields: &[array(&Kind::Text).nullable(0), text()] };

#[test]
fn varints_must_be_in_their_shortest_form() {
    assert_eq!(check_body(&TEXTS, 1, &[0, 1, 0]), Ok(()));
    assert!(check_body(&TEXTS, 1, &[0x80, 0, 1, 0]).is_err());
    assert!(check_body(&TEXTS, 1, &[0xff, 0xff, 0xff, 0xff, 0x1f, 1, 0]).is_err());
    assert!(check_body(&TEXTS, 1, &[0x80, 0x80, 0x80, 0x80, 0x80, 1, 1, 0]).is_err());
}

#[test]
fn strings_must_be_utf8_and_not_null_and_bounded() {
    assert_eq!(check_body(&TEXTS, 0, &[0xff, 0xff, 0xff, 0xff, 0, 1, b'a']), Ok(()));
    assert!(check_body(&TEXTS, 0, &[0xff, 0xff, 0xff, 0xff, 0, 1, 0xff]).is_err());
    assert!(check_body(&TEXTS, 0, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
    assert!(check_body(&TEXTS, 1, &[0, 0, 0]).is_err());
    let mut long = vec![0, 0x81, 0x80, 2];
    long.resize(4 + 0x8000, b'a');
    long.push(0);
    assert_eq!(check_body(&TEXTS, 1, &long).unwrap_err().reason, "a string is longer than 32767 bytes");
}

const TAGGED: Shape = Shape { flexible: 0, fields: &[int32().tagged(0), text().tagged(1).since(2), uuid().tagged(2)] };

#[test]
fn a_tagged_field_has_the_size_it_says_and_is_of_the_version() {
    assert_eq!(check_body(&TAGGED, 0, &[1, 0, 4, 0, 0, 0, 9]), Ok(()));
    assert!(check_body(&TAGGED, 0, &[1, 0, 5, 0, 0, 0, 9, 9]).is_err());
    assert!(check_body(&TAGGED, 0, &[1, 0, 3, 0, 0, 0]).is_err());
    assert!(check_body(&TAGGED, 1, &[1, 1, 2, 2, b'a']).is_err());
    assert_eq!(check_body(&TAGGED, 2, &[1, 1, 2, 2, b'a']), Ok(()));
    assert_eq!(check_body(&TAGGED, 0, &[1, 9, 2, 0, 0]), Ok(()));
}

#[test]
fn unknown_tags_are_bounded() {
    let many = |count: usize| {
        let mut body = vec![0x80 | u8::try_from(count & 0x7f).unwrap(), u8::try_from(count >> 7).unwrap()];
        body.extend((0..count).flat_map(|_| [9, 0]));
        body
    };
    assert_eq!(check_body(&TAGGED, 0, &many(REQUEST_UNKNOWN_TAGS_MAX)), Ok(()));
    assert!(check_body(&TAGGED, 0, &many(REQUEST_UNKNOWN_TAGS_MAX + 1)).is_err());
}

#[test]
fn elements_are_bounded_over_all_arrays() {
    const NESTED: Shape = Shape { flexible: i16::MAX, fields: &[structs(&[array(&Kind::Fixed(1))])] };
    let nested = |outer: usize, inner: usize| {
        let mut body = u32::try_from(outer).unwrap().to_be_bytes().to_vec();
        for _ in 0..outer {
            body.extend(u32::try_from(inner).unwrap().to_be_bytes());
            body.extend(vec![0; inner]);
        }
        body
    };
    let half = REQUEST_ELEMENTS_MAX / 2;
    assert_eq!(check_body(&NESTED, 0, &nested(2, half - 1)), Ok(()));
    assert!(check_body(&NESTED, 0, &nested(2, half)).is_err());
}

#[test]
fn a_structure_that_may_be_null_begins_with_its_mark() {
    const MARKED: Shape = Shape { flexible: 0, fields: &[structure(&[bytes()]).nullable(0)] };
    assert_eq!(check_body(&MARKED, 0, &[0xff, 0]), Ok(()));
    assert_eq!(check_body(&MARKED, 0, &[1, 1, 0, 0]), Ok(()));
    assert!(check_body(&MARKED, 0, &[0, 0]).is_err());
}

#[test]
fn a_header_keeps_the_short_client_id_in_both_versions() {
    let plain = Bytes::from_static(&[0, 3, 0, 1, 0, 0, 0, 7, 0, 2, b'm', b'e', 1, 2, 3]);
    assert_eq!(split_header(&plain, false).unwrap(), (Bytes::from_static(b"me"), Bytes::from_static(&[1, 2, 3])));
    let null = Bytes::from_static(&[0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 5]);
    assert_eq!(split_header(&null, false).unwrap(), (Bytes::new(), Bytes::from_static(&[5])));
    let tagged = Bytes::from_static(&[0, 3, 0, 9, 0, 0, 0, 7, 0, 1, b'm', 1, 4, 2, 8, 8, 5]);
    assert_eq!(split_header(&tagged, true).unwrap(), (Bytes::from_static(b"m"), Bytes::from_static(&[5])));
    for length in 0..tagged.len() - 1 {
        assert!(split_header(&tagged.slice(..length), true).is_err());
    }
}
