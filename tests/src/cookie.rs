//! Cookies as browsers treat them (RFC 6265bis): the parts of the rules that a broker's safety rests on.

use url::Url;

/// What `SameSite` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Sent on every request.
    None,
    /// Sent on requests from the same site and on top-level GET navigation.
    Lax,
    /// Sent on requests from the same site only.
    Strict,
}

/// A cookie in the jar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// The host that set it, and the only one that gets it: ports make no difference.
    pub host: String,
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// Sent to this path and below.
    pub path: String,
    /// Out of reach for scripts.
    pub http_only: bool,
    /// Sent over https, and to loopback.
    pub secure: bool,
    /// Which requests carry it.
    pub same_site: SameSite,
    /// Seconds from now, or `None` for as long as the browser runs.
    pub max_age: Option<i64>,
}

impl Cookie {
    /// Reads a `Set-Cookie` that came from `url`. An error is a cookie that browsers refuse.
    pub fn parse(url: &Url, header: &str) -> Result<Self, String> {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).ok_or("it has no name")?;
        let mut cookie = Self {
            host: url.host_str().ok_or("its address has no host")?.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            path: "/".to_owned(),
            http_only: false,
            secure: false,
            same_site: SameSite::Lax,
            max_age: None,
        };
        let (mut domain, mut path) = (false, false);
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match key.to_ascii_lowercase().as_str() {
                "httponly" => cookie.http_only = true,
                "secure" => cookie.secure = true,
                "domain" => domain = true,
                "path" if value.starts_with('/') => (path, cookie.path) = (true, value.to_owned()),
                "max-age" => cookie.max_age = Some(value.parse().map_err(|_| "Max-Age is not a number")?),
                "samesite" => {
                    cookie.same_site = match value.to_ascii_lowercase().as_str() {
                        "none" => SameSite::None,
                        "strict" => SameSite::Strict,
                        _ => SameSite::Lax,
                    }
                }
                _ => {}
            }
        }
        if name.len() + value.len() > 4096 {
            return Err("it is larger than 4096 bytes".to_owned());
        }
        if cookie.same_site == SameSite::None && !cookie.secure {
            return Err("SameSite=None needs Secure".to_owned());
        }
        if name.starts_with("__Secure-") && !cookie.secure {
            return Err("__Secure- needs Secure".to_owned());
        }
        if name.starts_with("__Host-") && !(cookie.secure && path && cookie.path == "/" && !domain) {
            return Err("__Host- needs Secure and Path=/ and no Domain".to_owned());
        }
        if cookie.secure && !trustworthy(url) {
            return Err("Secure needs https or loopback".to_owned());
        }
        Ok(cookie)
    }

    /// Whether this request carries it. `same_site` says whether everything that led to the request is of the
    /// target's site, `get` whether it is a top-level GET.
    pub fn goes_to(&self, url: &Url, same_site: bool, get: bool) -> bool {
        let below = url.path().strip_prefix(&self.path);
        let path = below.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        let site = match self.same_site {
            SameSite::None => true,
            SameSite::Lax => same_site || get,
            SameSite::Strict => same_site,
        };
        url.host_str() == Some(&self.host) && path && site && (!self.secure || trustworthy(url))
    }
}

fn trustworthy(url: &Url) -> bool {
    url.scheme() == "https" || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Result<Cookie, String> {
        Cookie::parse(&Url::parse("http://localhost:1/a/b").expect("a URL"), header)
    }

    #[test]
    fn host_cookies_that_break_the_rules_are_refused() {
        assert!(parse("__Host-a=1; Secure; Path=/; HttpOnly").is_ok());
        for wrong in ["__Host-a=1; Path=/", "__Host-a=1; Secure", "__Host-a=1; Secure; Path=/x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("__Host-a=1; Secure; Path=/; Domain=localhost").is_err());
        assert!(parse("a=1; SameSite=None").is_err());
    }

    #[test]
    fn a_cookie_goes_where_it_may() {
        let url = |text| Url::parse(text).expect("a URL");
        let lax = parse("a=1; Path=/a; SameSite=Lax").expect("a cookie");
        assert!(lax.goes_to(&url("http://localhost:2/a/c"), false, true), "ports are not hosts");
        assert!(!lax.goes_to(&url("http://localhost:2/a/c"), false, false), "no cross-site POST");
        assert!(!lax.goes_to(&url("http://localhost:2/ab"), true, true), "paths end at a slash");
        assert!(!lax.goes_to(&url("http://127.0.0.1:2/a"), true, true));
        let strict = parse("a=1; SameSite=Strict").expect("a cookie");
        assert!(!strict.goes_to(&url("http://localhost:2/"), false, true));
    }
}
