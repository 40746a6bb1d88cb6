//! Whole frames from any bytes: header, version and gate. What passes is a request of the table.

use barnabas_broker::api::dispatch::{Opened, open};
use bytes::Bytes;

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    if let Ok((prefix, Opened::Request(request))) = open(&Bytes::copy_from_slice(bytes)) {
        assert_eq!(request.row.key, prefix.key);
        assert!(request.row.versions.contains(request.version));
        assert!(request.body.len() < bytes.len());
    }
}
