//! Requests and answers that differ on API Gateway from what a plain server sees.

use http::Request;

use super::*;

fn event_of(request: http::request::Builder, body: &'static str) -> Value {
    let (parts, ()) = request.body(()).unwrap().into_parts();
    event(&parts, &Bytes::from_static(body.as_bytes()), "id", 7)
}

#[test]
fn the_query_string_keeps_its_bytes() {
    let event = event_of(Request::get("/oauth2/authorize?scope=openid+email&x=%2f%2F&x=2&=&empty="), "");
    assert_eq!(event["rawPath"], "/oauth2/authorize");
    assert_eq!(event["rawQueryString"], "scope=openid+email&x=%2f%2F&x=2&=&empty=");
    assert_eq!(event["queryStringParameters"]["x"], "//,2");
}

#[test]
fn only_names_are_answered_for() {
    let named = |host: &str| {
        let (parts, ()) = Request::get("/").header("host", host).body(()).unwrap().into_parts();
        is_for_a_name(&parts)
    };
    assert!(named("sso.example") && named("sso.example:443") && named("localhost:8787"));
    for broken in ["", "%", "a b", "user@sso.example", "[::1", "sso.example/x", "sso.example?x", "sso.example:port"] {
        assert!(!named(broken), "{broken}");
    }
}

#[test]
fn cookies_leave_the_headers() {
    let request = Request::get("/").header("cookie", "a=1; b=2").header("cookie", "c=3").header("x", "1");
    let event = event_of(request.header("x", "2"), "");
    assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
    assert_eq!(event["headers"].get("cookie"), None);
    assert_eq!(event["headers"]["x"], "1,2");
}

#[test]
fn forms_arrive_in_base64_and_json_as_text() {
    let form = Request::post("/oauth2/token").header("content-type", "application/x-www-form-urlencoded");
    let event = event_of(form, "a=1&b=%20");
    assert_eq!((&event["isBase64Encoded"], &event["body"]), (&json!(true), &json!("YT0xJmI9JTIw")));
    let json = Request::put("/admin").header("content-type", "application/scim+json; charset=utf-8");
    let event = event_of(json, "{}");
    assert_eq!((&event["isBase64Encoded"], &event["body"]), (&json!(false), &json!("{}")));
}

#[tokio::test]
async fn an_answer_becomes_a_response() {
    let answer = json!({
        "statusCode": 303,
        "headers": { "location": "/next", "content-length": "999" },
        "multiValueHeaders": { "location": ["/elsewhere"] },
        "cookies": ["__Host-a=1; Path=/; Secure", "__Host-b=2; Path=/; Secure"],
        "body": "aGVsbG8=",
        "isBase64Encoded": true,
    });
    let response = response(answer.to_string().as_bytes()).unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers().get_all("location").iter().collect::<Vec<_>>(), ["/next"]);
    assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
    assert_eq!(response.headers().get(CONTENT_LENGTH), None);
    assert_eq!(axum::body::to_bytes(response.into_body(), 99).await.unwrap(), "hello");
}

#[test]
fn an_answer_without_a_status_is_refused() {
    assert!(response(b"{}").is_err());
    assert!(response(b"hello").is_err());
}
