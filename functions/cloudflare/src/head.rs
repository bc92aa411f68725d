//! Heads of requests and replies as one text, the way they cross between JavaScript and wasm: lines that are name,
//! value, name, value. One long text costs a fraction of many short ones.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use vestibule_web::ClientAddress;

/// Whom Cloudflare saw. A client cannot send it: the platform replaces what comes.
const ADDRESS: HeaderName = HeaderName::from_static("cf-connecting-ip");

/// A request without its body, from method, path with query, and headers.
pub(crate) fn request<B>(text: &str, body: B) -> Option<Request<B>> {
    let mut lines = text.split('\n');
    let method = Method::from_bytes(lines.next()?.as_bytes()).ok()?;
    let uri: Uri = lines.next()?.parse().ok()?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    let headers = read(lines);
    if let Some(address) = headers.get(ADDRESS).and_then(|address| address.to_str().ok()) {
        request.extensions_mut().insert(ClientAddress(address.to_owned()));
    }
    *request.headers_mut() = headers;
    Some(request)
}

/// Headers from their lines. The runtime has checked them; one that is none for us is left out.
pub(crate) fn read<'a>(mut lines: impl Iterator<Item = &'a str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Lines from headers. One whose value is no text is left out.
pub(crate) fn write(headers: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, value) in headers {
        if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(name.as_str());
            text.push('\n');
            text.push_str(value);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_line_by_line() {
        let request = request("GET\n/a?b=%20c\naccept\n*/*\ncookie\na=1; b=2", ()).unwrap();
        assert_eq!(request.method(), Method::GET);
        assert_eq!((request.uri().path(), request.uri().query()), ("/a", Some("b=%20c")));
        assert_eq!(request.headers()["cookie"], "a=1; b=2");
        assert_eq!(request.headers().len(), 2);
    }

    #[test]
    fn the_platform_says_who_called() {
        let from = |text| request(text, ()).and_then(|request| request.extensions().get::<ClientAddress>().cloned());
        assert_eq!(from("GET\n/\ncf-connecting-ip\n203.0.113.9").map(|found| found.0).as_deref(), Some("203.0.113.9"));
        assert!(from("GET\n/\nx-forwarded-for\n203.0.113.9").is_none());
    }

    #[test]
    fn headers_that_come_twice_stay_two() {
        let headers = read("set-cookie\na=1\nset-cookie\nb=2\nx-empty\n".split('\n'));
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        assert_eq!(headers["x-empty"], "");
        assert_eq!(read(write(&headers).split('\n')), headers);
    }

    #[test]
    fn what_is_no_request_is_none() {
        assert!(request("", ()).is_none());
        assert!(request("GET", ()).is_none());
        assert!(request("GET\nno path", ()).is_none());
    }
}
