//! What a start without files says: where everything is, and three commands to try.

use std::net::SocketAddr;

/// Where commands look when nobody tells them.
const USUAL: &str = "127.0.0.1:9092";

/// What a start without files says. `program` is how it was called, `page` where the page is, `at_end` what becomes of the data.
pub(super) fn text(
    program: &str,
    address: SocketAddr,
    page: Option<SocketAddr>,
    log_dirs: &str,
    at_end: &str,
) -> String {
    let address = reached(address);
    let broker = if address == USUAL { String::new() } else { format!(" -b {address}") };
    let page = page.map_or_else(String::new, |page| format!("The page is on http://{}/\n", reached(page)));
    format!(
        "Barnabas {} serves on {address}, its data is in {log_dirs}{at_end}.\n{page}Try:\n\n  \
         {program} topics create greetings{broker}\n  \
         echo hello | {program} produce greetings{broker}\n  \
         {program} consume greetings --from earliest{broker}\n\n\
         Any Kafka client finds it by bootstrap.servers={address}.\n",
        env!("CARGO_PKG_VERSION"),
    )
}

/// An address that a client on this machine can use.
fn reached(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_commands_name_the_broker_where_it_is_not_the_usual_one() {
        let usual = text("barnabas", SocketAddr::from(([127, 0, 0, 1], 9092)), None, "./barnabas-data", "");
        assert_eq!(usual.lines().filter(|line| line.starts_with("  ")).count(), 3);
        assert!(usual.contains("./barnabas-data.\n") && !usual.contains(" -b "), "{usual}");
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 9093));
        let page = Some(SocketAddr::from(([127, 0, 0, 1], 80)));
        let other = text("./barnabas", everywhere, page, "/tmp/x", " until it stops");
        assert_eq!(other.matches(" -b localhost:9093\n").count(), 3, "{other}");
        assert!(other.contains("until it stops.\nThe page is on http://127.0.0.1:80/\n"), "{other}");
    }
}
