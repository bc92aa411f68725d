//! Authorization requests.

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use url::{Url, form_urlencoded};
use vestibule_protocol::oauth::authorize::AuthorizationRequest;
use vestibule_protocol::params::Params;

use crate::world::{CALLBACK, ISSUER, PROVIDER, send};

/// Whatever is asked: the answer is not our error, a browser is sent to the registered address, the provider or
/// ourselves and nowhere else, `state` comes back byte for byte, and nobody gets a code without having signed in.
pub fn authorization(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return posted(data.to_vec());
    };
    parsed(text);
    // Of a known application too, so that the rest of the rules is reached.
    let known = format!("client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&{text}");
    parsed(&known);
    for query in [text, &known] {
        if let Ok(request) = Request::get(format!("/oauth2/authorize?{query}")).body(Body::empty()) {
            // A fragment is not sent.
            let query = request.uri().query().unwrap_or_default().to_owned();
            answered(&send(request), &query);
        }
        posted(query.as_bytes().to_vec());
    }
}

fn posted(body: Vec<u8>) {
    let text = String::from_utf8(body.clone()).unwrap_or_default();
    let request = Request::post("/oauth2/authorize").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    answered(&send(request.body(Body::from(body)).expect("a request")), &text);
}

/// Parameters that are read and written again are the same; a request that is taken keeps the rules.
fn parsed(text: &str) {
    let Ok(params) = Params::parse(text) else { return };
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(params.iter()).finish();
    assert_eq!(Params::parse(&written).as_ref(), Ok(&params), "{text}");
    let Ok(request) = AuthorizationRequest::parse(&params) else { return };
    assert!(request.scope.has("openid"), "{text}");
    assert_eq!(params.get("response_type"), Ok(Some("code")));
    assert_eq!(params.get("code_challenge_method"), Ok(Some("S256")));
    assert_eq!(request.nonce.as_deref(), params.get("nonce").expect("read once"));
    assert!(request.nonce.is_none_or(|nonce| nonce.len() <= 1024));
}

fn answered(reply: &Response<Bytes>, sent: &str) {
    if let StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE = reply.status() {
        assert!(reply.headers().contains_key(header::CONTENT_SECURITY_POLICY), "{sent}: no page");
        assert!(!reply.body().windows(7).any(|bytes| bytes.eq_ignore_ascii_case(b"<script")), "{sent}: a script");
        assert!(!reply.headers().contains_key(header::LOCATION), "{sent}");
        return;
    }
    assert_eq!(reply.status(), StatusCode::SEE_OTHER, "{sent}");
    let location = reply.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let location = Url::parse(location.expect("an address")).expect("an address");
    let (place, _) = location.as_str().split_once('?').expect("it carries something");
    let all = |name: &str| -> Vec<String> {
        location.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
    };
    assert_eq!(all("code"), [""; 0], "{sent}: nobody has signed in");
    if place == CALLBACK {
        assert_eq!(all("iss"), [ISSUER], "{sent}");
        let params = Params::parse(sent).expect("what is answered was read");
        let state: Vec<String> = params.get("state").ok().flatten().map(str::to_owned).into_iter().collect();
        assert_eq!(all("state"), state, "{sent}");
        assert_eq!(all("error").len(), 1, "{sent}");
    } else if place == format!("{PROVIDER}/authorize") {
        assert_eq!((all("code_challenge_method"), all("response_type")), (vec!["S256".into()], vec!["code".into()]));
        assert_eq!((all("state").len(), all("nonce").len(), all("code_challenge").len()), (1, 1, 1), "{sent}");
        let cookie = reply.headers().get(header::SET_COOKIE).expect("the login's cookie");
        let begins = format!("__Host-login-{}=", all("state").concat());
        assert!(cookie.to_str().is_ok_and(|cookie| cookie.starts_with(&begins)), "{cookie:?}");
    } else {
        assert_eq!(place, format!("{ISSUER}/oauth2/authorize"), "{sent}: sent elsewhere");
    }
}
