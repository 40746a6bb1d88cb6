//! The way to a login: any sequence of what a connection can bring. It is open only after a login, and closed after a failure.

use std::time::Duration;

use barnabas_auth::Mechanism;
use barnabas_broker::login::conversation::{ConversationCell, Exchange, Tokens};

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let cell = ConversationCell::new(true);
    let (mut is_done, mut is_failed, mut is_renewing) = (false, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte % 8 {
            0 => {
                let _ = cell.admit(i16::from(byte / 8), "any");
            }
            1 => is_failed |= !cell.tell_versions(),
            2 | 3 => {
                let tokens = if byte % 8 == 2 { Tokens::InRequests } else { Tokens::Bare };
                let has_begun = cell.begin(Mechanism::Plain, Exchange::Plain, tokens);
                is_failed |= !has_begun;
                is_renewing |= has_begun;
            }
            4 => {
                if let Some((mechanism, exchange)) = cell.take() {
                    cell.put_back(mechanism, exchange);
                }
            }
            5 => {
                if let Some((mechanism, _)) = cell.take() {
                    cell.done(mechanism, Duration::from_secs(at as u64));
                    (is_done, is_renewing) = (true, false);
                }
            }
            6 => {
                let _ = cell.expects_bare_token();
            }
            _ => {
                let _ = cell.may_begin_again(Duration::from_secs(at as u64), Duration::from_secs(1));
            }
        }
        assert!(!cell.is_open() || is_done && !is_failed && !is_renewing);
        assert_eq!(cell.is_over(), is_failed);
    }
}
