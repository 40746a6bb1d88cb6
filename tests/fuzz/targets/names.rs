//! Certificates and names of any bytes are read without a panic.
#![no_main]

use barnabas_auth::tls::Certificate;
use barnabas_auth::tls::distinguished_name::print;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Certificate::read(bytes);
    let _ = print(bytes);
});
