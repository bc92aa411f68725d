//! The egress policy: which addresses an identity provider may have.
//!
//! An administrator of a tenant types the addresses that the broker then asks. Without a rule, they could make it ask
//! the cloud's metadata service or a neighbour in the private network (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::HttpError;

/// The rule on an address as it is written: https only, and no literal of a network that is not public. Plain http
/// is for loopback, and only where `allow_loopback` is set (the native binary's demo, tests). Every adapter asks
/// this before it connects, and [`check_address`] about what a name resolves to, where the platform says.
pub fn check_egress(uri: &http::Uri, allow_loopback: bool) -> Result<(), HttpError> {
    // Read as a browser and every client would: `https://2130706433` is 127.0.0.1.
    let url = Url::parse(&uri.to_string()).map_err(|_| HttpError::Refused("not an absolute URL"))?;
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => check_address(address.into(), allow_loopback).map(|()| address.is_loopback())?,
        Some(Host::Ipv6(address)) => check_address(address.into(), allow_loopback).map(|()| is_loopback(address))?,
        // RFC 6761 §6.3: these names are loopback, whatever a resolver says.
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => return Err(HttpError::Refused("no host")),
    };
    match url.scheme() {
        _ if loopback && !allow_loopback => Err(HttpError::Refused(LOOPBACK)),
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => Err(HttpError::Refused("plain http is allowed for loopback only")),
        _ => Err(HttpError::Refused("only https is allowed")),
    }
}

/// The rule of a tenant that lists its providers' hosts: those, as the address is read by every client, and no others. An
/// empty list is no rule.
pub fn check_host(uri: &http::Uri, hosts: &[String]) -> Result<(), HttpError> {
    let url = Url::parse(&uri.to_string()).map_err(|_| HttpError::Refused("not an absolute URL"))?;
    let listed = url.host_str().is_some_and(|host| hosts.iter().any(|listed| listed == host));
    if hosts.is_empty() || listed {
        Ok(())
    } else {
        Err(HttpError::Refused("the host is not in the tenant's egress_hosts"))
    }
}

/// The rule on an IP address that is about to be connected to: public unicast, or loopback where that is allowed.
/// The ranges are those of the IANA special-purpose registries (RFC 6890) that are not globally reachable.
pub fn check_address(address: IpAddr, allow_loopback: bool) -> Result<(), HttpError> {
    let address = match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    let public = match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    };
    match (address.is_loopback(), allow_loopback) {
        (true, true) => Ok(()),
        (true, false) => Err(HttpError::Refused(LOOPBACK)),
        (false, _) if public => Ok(()),
        (false, _) => Err(HttpError::Refused("private and special addresses are not allowed")),
    }
}

const LOOPBACK: &str = "loopback addresses are not allowed";

fn is_loopback(address: Ipv6Addr) -> bool {
    embedded(address).map_or(address.is_loopback(), |v4| v4.is_loopback())
}

/// The IPv4 address inside an IPv6 one that a host or a gateway would connect to: mapped and compatible (RFC 4291
/// §2.5.5), NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if address.is_loopback() || address.is_unspecified() {
        return None;
    }
    let segments = address.segments();
    let (high, low) = match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            let [.., high, low] = segments;
            (high, low)
        }
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || a == 0
        // Shared address space of carriers (RFC 6598), where some clouds keep services too.
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments and documentation.
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        // Benchmarking (RFC 2544).
        || (a == 198 && (b == 18 || b == 19))
        // Reserved, and the limited broadcast.
        || a >= 240;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is global unicast; in it, documentation (2001:db8::/32, 3fff::/20) and the assignments of
    // 2001::/23 (Teredo among them) are not.
    let global = a & 0xe000 == 0x2000;
    let special = (a == 0x2001 && (b == 0xdb8 || b < 0x200)) || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(uri: &str, allow_loopback: bool) -> bool {
        check_egress(&uri.parse().expect("a URI"), allow_loopback).is_ok()
    }

    #[test]
    fn https_to_a_public_host_is_allowed() {
        for uri in [
            "https://idp.example/",
            "https://93.184.215.14/",
            "https://[2606:2800:21f::1]/",
            "https://idp.example:8443",
        ] {
            assert!(allowed(uri, false), "{uri}");
        }
    }

    #[test]
    fn other_schemes_are_refused() {
        for uri in ["http://idp.example/", "ftp://idp.example/", "http://93.184.215.14/", "/path"] {
            assert!(!allowed(uri, true), "{uri}");
        }
    }

    #[test]
    fn loopback_needs_its_setting_however_it_is_written() {
        for uri in [
            "http://localhost:9000/",
            "http://LOCALHOST/",
            "http://localhost./",
            "http://idp.localhost/",
            "http://127.0.0.1/",
            "http://127.9.9.9/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "https://localhost/",
        ] {
            assert!(!allowed(uri, false), "{uri}");
            assert!(allowed(uri, true), "{uri}");
        }
    }

    #[test]
    fn a_list_of_hosts_is_for_whole_hosts_however_they_are_written() {
        let hosts = ["idp.example".to_owned(), "93.184.215.14".to_owned()];
        let listed = |uri: &str| check_host(&uri.parse().expect("a URI"), &hosts).is_ok();
        for uri in
            ["https://idp.example/a", "https://IDP.example:8443/", "https://93.184.215.14/", "https://0x5db8d70e/"]
        {
            assert!(listed(uri), "{uri}");
        }
        for uri in [
            "https://idp.example.evil.example/",
            "https://evil.example/idp.example",
            "https://idp.example@evil.example/",
            "https://login.idp.example/",
            "https://example/",
            "https://idp.example./",
            "https://93.184.215.15/",
            "/idp.example",
        ] {
            assert!(!listed(uri), "{uri}");
        }
        assert!(check_host(&"https://anything.example/".parse().expect("a URI"), &[]).is_ok());
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_even_beside_loopback() {
        for host in [
            "169.254.169.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.100.100.200",
            "0.0.0.0",
            "198.18.0.1",
            "192.0.0.192",
            "224.0.0.1",
            "255.255.255.255",
            "0xa9fea9fe",
            "[::]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[::ffff:169.254.169.254]",
            "[::169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::]",
            "[2001:db8::1]",
            "[2001::1]",
        ] {
            assert!(!allowed(&format!("https://{host}/"), true), "{host}");
        }
        assert!(allowed("https://172.32.0.1/", false) && allowed("https://100.128.0.1/", false));
    }
}
