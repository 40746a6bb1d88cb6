//! Request bodies: the first two bytes choose the API and the version, the rest is the body. What the gate lets pass the
//! codec must accept, and consume to its end.

use barnabas_broker::api::{gate, table};
use bytes::Bytes;

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let [api, version, body @ ..] = bytes else { return };
    let rows = table();
    let row = &rows[usize::from(*api) % rows.len()];
    let served = row.versions.max - row.versions.min + 1;
    let version = row.versions.min + i16::from(*version) % served;
    let body = Bytes::copy_from_slice(body);
    if gate::whole_body(&row.shape, version, &body).is_ok() {
        (row.check)(&body, version).expect("the codec accepts what the gate lets pass");
    }
}
