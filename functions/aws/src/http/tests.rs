//! The client against a small server on loopback.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers each connection's request by its path, on a port of its own.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap_or_default();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let reply = match request.split(' ').nth(1).unwrap_or_default() {
                    "/redirect" => "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n".to_owned(),
                    "/teapot" => "HTTP/1.1 418 No\r\nContent-Length: 3\r\nX-Seen: yes\r\n\r\nabc".to_owned(),
                    "/announced" => "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nabc".to_owned(),
                    "/full" => format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(HTTP_BODY_LIMIT)),
                    "/endless" => format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(HTTP_BODY_LIMIT + 1)),
                    "/silent" => String::new(),
                    "/slow-body" => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_owned(),
                    _ => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{request}"),
                };
                let _ = stream.write_all(reply.as_bytes()).await;
                if request.contains("/silent") || request.contains("/slow-body") {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
            });
        }
    });
    address
}

fn get(uri: &str) -> http::Request<Bytes> {
    http::Request::get(uri).body(Bytes::new()).expect("a request")
}

async fn fetch(path: &str) -> Result<http::Response<Bytes>, HttpError> {
    let port = server().await.port();
    let client = OutboundHttp::with_timeout(true, Duration::from_millis(400)).expect("a client");
    client.send(get(&format!("http://localhost:{port}{path}"))).await
}

#[tokio::test]
async fn a_request_goes_out_whole() {
    let port = server().await.port();
    let client = OutboundHttp::new(true).expect("a client");
    let request = http::Request::post(format!("http://127.0.0.1:{port}/echo?a=b"))
        .header("authorization", "Basic abc")
        .body(Bytes::from_static(b"body=1"))
        .expect("a request");
    let reply = client.send(request).await.expect("a reply");
    let seen = String::from_utf8_lossy(reply.body()).to_lowercase();
    for part in ["post /echo?a=b", "authorization: basic abc", "content-length: 6", "body=1"] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

/// ED-9
#[tokio::test]
async fn a_redirect_is_an_answer() {
    let reply = fetch("/redirect").await.expect("a reply");
    assert_eq!(reply.status(), 302);
    assert_eq!(reply.headers()["location"], "/ok");
}

#[tokio::test]
async fn an_error_of_the_other_side_is_an_answer() {
    let reply = fetch("/teapot").await.expect("a reply");
    assert_eq!((reply.status().as_u16(), reply.body().as_ref()), (418, b"abc".as_slice()));
    assert_eq!(reply.headers()["x-seen"], "yes");
}

/// ED-9
#[tokio::test]
async fn the_body_is_limited_announced_or_not() {
    assert_eq!(fetch("/full").await.expect("just fits").body().len(), HTTP_BODY_LIMIT);
    for path in ["/announced", "/endless"] {
        let result = fetch(path).await;
        assert!(matches!(result, Err(HttpError::TooLarge)), "{path}: {result:?}");
    }
}

/// ED-9
#[tokio::test]
async fn waiting_ends_before_and_within_the_body() {
    for path in ["/silent", "/slow-body"] {
        let result = fetch(path).await;
        assert!(matches!(result, Err(HttpError::Timeout)), "{path}: {result:?}");
    }
}

/// ED-9
#[tokio::test]
async fn addresses_outside_the_policy_are_not_connected_to() {
    let port = server().await.port();
    let strict = OutboundHttp::new(false).expect("a client");
    let open = OutboundHttp::new(true).expect("a client");
    for host in ["169.254.169.254", "10.0.0.1", "[::ffff:10.0.0.1]", "[fd00:ec2::254]"] {
        for client in [&strict, &open] {
            let result = client.send(get(&format!("https://{host}:{port}/"))).await;
            assert!(matches!(result, Err(HttpError::Refused(_))), "{host}: {result:?}");
        }
    }
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433"] {
        let result = strict.send(get(&format!("https://{host}:{port}/"))).await;
        assert!(matches!(result, Err(HttpError::Refused(_))), "{host}: {result:?}");
    }
}

/// The resolver itself, past the check of the written address: `localhost` stands for any name that an attacker
/// points at a private address.
#[tokio::test]
async fn a_name_that_resolves_to_a_forbidden_address_is_refused() {
    let name = || "localhost".parse::<Name>().expect("a name");
    let refused = PolicyResolver { allow_loopback: false }.resolve(name()).await.err().expect("refused");
    assert!(matches!(refused.downcast_ref(), Some(HttpError::Refused(_))), "{refused}");
    let found = PolicyResolver { allow_loopback: true }.resolve(name()).await.expect("resolves");
    assert!(found.count() > 0);

    // And the same through the client, which has to find the reason below reqwest's own errors.
    let port = server().await.port();
    let mut client = OutboundHttp::new(false).expect("a client");
    client.allow_loopback = true;
    let result = client.send(get(&format!("http://localhost:{port}/"))).await;
    assert!(matches!(result, Err(HttpError::Refused(_))), "{result:?}");
}

#[tokio::test]
async fn a_refused_connection_is_a_network_error_without_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let client = OutboundHttp::new(true).expect("a client");
    match client.send(get(&format!("http://127.0.0.1:{port}/?code=secret"))).await {
        Err(HttpError::Network(text)) => assert!(!text.contains("secret"), "{text}"),
        other => panic!("{other:?}"),
    }
}
