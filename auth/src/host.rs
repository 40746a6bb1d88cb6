//! The host of a rule. Kafka compares texts, in the one spelling Java gives an address; here every spelling of an address
//! means it, and a network in CIDR form (KAFKA-4759, ours alone) means its addresses.

use std::net::{IpAddr, Ipv6Addr};

use crate::acl::WILDCARD;

/// From where a rule speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostRule {
    /// From everywhere.
    Everywhere,
    /// From this address.
    Address(IpAddr),
    /// From the addresses that share so many leading bits with this one, as 128-bit numbers, the highest byte first. The other
    /// bits of it are zero. In bytes, because there may be very many of these: a number would want twice the room.
    Network { base: [u8; 16], bits: u8 },
    /// From nowhere: the text is no address. Names are not looked up.
    Nowhere,
}

impl HostRule {
    pub(crate) fn of(text: &str) -> Self {
        if text == WILDCARD {
            return Self::Everywhere;
        }
        match text.split_once('/') {
            Some((base, bits)) => Self::network(base, bits).unwrap_or(Self::Nowhere),
            None => address(text).map_or(Self::Nowhere, Self::Address),
        }
    }

    fn network(base: &str, bits: &str) -> Option<Self> {
        let (base, bits): (IpAddr, u8) = (base.parse().ok()?, bits.parse().ok()?);
        // An IPv4 address is the last 32 of the 128 bits of its mapped form.
        let (longest, before) = if base.is_ipv4() { (32, 96) } else { (128, 0) };
        (bits <= longest).then(|| Self::network_of(base, before + bits))
    }

    /// The network of so many leading bits that an address is in.
    fn network_of(address: IpAddr, bits: u8) -> Self {
        let others = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
        Self::Network { base: (number(address) & !others).to_be_bytes(), bits }
    }

    /// How many leading bits a network has.
    pub(crate) fn length(self) -> Option<u8> {
        match self {
            Self::Network { bits, .. } => Some(bits),
            Self::Everywhere | Self::Address(_) | Self::Nowhere => None,
        }
    }

    /// Everything that speaks of a peer at this address, which is in its canonical form; networks of these lengths.
    pub(crate) fn about(host: IpAddr, lengths: &[u8]) -> impl Iterator<Item = Self> {
        let networks = lengths.iter().map(move |bits| Self::network_of(host, *bits));
        [Self::Everywhere, Self::Address(host)].into_iter().chain(networks)
    }

    /// Whether it speaks of a peer at this address, which is in its canonical form.
    pub(crate) fn is(self, host: IpAddr) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Address(address) => address == host,
            Self::Network { bits, .. } => Self::network_of(host, bits) == self,
            Self::Nowhere => false,
        }
    }
}

/// An address in any spelling, mapped ones as the IPv4 address they are, without the scope of a link.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.split_once('%').map_or(text, |(plain, _)| plain);
    plain.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => Ipv6Addr::to_bits(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        for (text, host, expected) in [
            ("*", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.10", false),
            ("0:0:0:0:0:0:0:1", "::1", true),
            ("::1", "::1", true),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("fe80:0:0:0:0:0:0:1%eth0", "fe80::1", true),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::1", false),
            ("0.0.0.0/0", "192.168.1.1", true),
            ("0.0.0.0/0", "fe80::1", false),
            ("::/0", "192.168.1.1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("10.0.0.1/32", "10.0.0.2", false),
            ("localhost", "127.0.0.1", false),
            ("", "127.0.0.1", false),
        ] {
            let host: IpAddr = host.parse().unwrap();
            assert_eq!(HostRule::of(text).is(host), expected, "{text} {host}");
        }
    }
}
