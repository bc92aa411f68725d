//! W10 and W11: what a SAML response costs at the assertion consumer service. A response counts once, so logins are begun and
//! responses made before anything is measured.
//!
//! The part that is SAML is what a response costs that is refused for its audience, after all was verified and opened, beyond
//! one that is refused at once; the way to the service and back is the same.

mod answer;

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde_json::json;
use url::{Url, form_urlencoded};
use vestibule_protocol::saml::{Certificate, RedirectMessage};

use self::answer::{Answer, Provider, Shape};
use crate::connection::Connection;
use crate::cpu;
use crate::keeper::Deployment;
use crate::measure::{CONCURRENCY, Figures, now, percentile};
use crate::scene::{CALLBACK, authorization, put};

/// Their names among the workloads.
pub(crate) const NAMES: [&str; 2] = ["W10", "W11"];
const SHAPES: [Shape; 2] = [Shape::OneSignature, Shape::TwiceAndEncrypted];

const TENANT: &str = "saml";
const CLIENT: &str = "app-saml";
const SINGLE_SIGN_ON: &str = "https://idp.example/sso";
/// Responses for each second that a workload is to be measured.
const PACE: usize = 500;
/// Those of each connection before anything is measured.
const WARM_UP: usize = 8;

/// A login of somebody's browser that waits for its answer.
struct Begun {
    cookie: String,
    relay_state: String,
    request: String,
}

/// A form, and the cookie that goes with it.
#[derive(Clone)]
struct Post {
    cookie: String,
    body: Bytes,
}

/// One of those who post at the same time, and what they post.
struct Lane {
    http: Connection,
    posts: Vec<Post>,
}

/// The tenant.
struct Scene<'a> {
    deployment: &'a Deployment<'a>,
    provider: Provider,
    /// Our assertion consumer service, and our entity id.
    acs: String,
    audience: String,
}

/// Runs those that are wanted, `seconds` each.
pub(crate) async fn run(deployment: &Deployment<'_>, wanted: impl Fn(&str) -> bool, seconds: usize) -> Result<()> {
    let scene = Scene::set(deployment).await?;
    for (name, shape) in NAMES.into_iter().zip(SHAPES).filter(|(name, _)| wanted(name)) {
        let each = (seconds * PACE).div_ceil(CONCURRENCY);
        let Figures { cpu_ms, p50_ms, p99_ms, ops_s } = scene.measure(Some(shape), each, true).await?;
        println!("{}", json!({"workload": name, "cpu_ms": cpu_ms, "p50_ms": p50_ms, "p99_ms": p99_ms, "ops_s": ops_s}));
        let verified = scene.measure(Some(shape), each, false).await?;
        let refused_at_once = scene.measure(None, each, false).await?;
        let part = verified.cpu_ms - refused_at_once.cpu_ms;
        println!("{}", json!({"workload": format!("{name}, the part that is SAML"), "value": part, "unit": "ms"}));
        let bytes = scene.provider.respond(&scene.answer("_request", 0, true), shape).await?.len();
        println!("{}", json!({"workload": format!("{name}, its response"), "value": bytes, "unit": "bytes"}));
    }
    Ok(())
}

impl<'a> Scene<'a> {
    /// Makes the tenant, its connection and an application.
    async fn set(deployment: &'a Deployment<'a>) -> Result<Self> {
        let (broker, token) = (deployment.broker, deployment.admin_token);
        let http = &mut Connection::open(broker).await?;
        let mut provider = Provider::new().await?;
        let saml = json!({
            "idp_entity_id": answer::ISSUER, "certificates": [provider.certificate], "wants_encryption": true,
            "single_sign_on": [{ "binding": "redirect", "location": SINGLE_SIGN_ON }],
        });
        let connection = json!({ "name": "Corp", "protocol": "saml", "enabled": true, "saml": saml });
        let client = json!({
            "name": "Application", "tenants": [TENANT], "redirect_uris": [CALLBACK], "client_auth": "none",
        });
        put(http, token, &format!("/tenants/{TENANT}"), &json!({ "name": "A tenant" })).await?;
        put(http, token, &format!("/tenants/{TENANT}/connections/corp"), &connection).await?;
        put(http, token, &format!("/clients/{CLIENT}"), &client).await?;
        let at = format!("/saml/{TENANT}/corp");
        let metadata = http.send(Request::get(format!("{at}/metadata")).body(Full::default())?).await?;
        provider.encrypts_for(&encryption_certificate(&String::from_utf8_lossy(metadata.body()))?)?;
        let audience = format!("{broker}{at}");
        Ok(Self { deployment, provider, acs: format!("{audience}/acs"), audience })
    }

    /// What is said of a person; one that is not good is for somebody else.
    fn answer<'b>(&'b self, request: &'b str, person: usize, is_good: bool) -> Answer<'b> {
        let audience = if is_good { &*self.audience } else { "https://elsewhere.example" };
        Answer { request, acs: &self.acs, audience, person }
    }

    /// Posts `each` responses on each connection: of this shape, or none at all. Those who sign in do it once a login; who is
    /// refused can be refused again.
    async fn measure(&self, shape: Option<Shape>, each: usize, is_good: bool) -> Result<Figures> {
        let mut lanes = Vec::new();
        for number in 0..CONCURRENCY {
            let mut http = Connection::open(self.deployment.broker).await?;
            let mut posts: Vec<Post> = Vec::new();
            while posts.len() < each + WARM_UP {
                let post = match posts.last() {
                    Some(last) if !is_good => last.clone(),
                    _ => self.post(&begin(&mut http).await?, shape, (number, is_good)).await?,
                };
                posts.push(post);
            }
            lanes.push(Lane { http, posts });
        }
        let expected = if is_good { StatusCode::SEE_OTHER } else { StatusCode::BAD_GATEWAY };
        let path = self.acs.strip_prefix(self.deployment.broker).context("an address elsewhere")?;
        // The whole warm-up is over before anybody is measured.
        let (lanes, _) = all(lanes, path, WARM_UP, expected).await?;
        let (spent, from) = (cpu::of_tree(self.deployment.pid)?, now());
        let (_, mut durations) = all(lanes, path, each, expected).await?;
        let (spent, took) = (cpu::of_tree(self.deployment.pid)? - spent, from.elapsed().as_secs_f64());
        durations.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "some thousand responses")]
        let count = durations.len() as f64;
        Ok(Figures {
            cpu_ms: spent * 1000.0 / count,
            p50_ms: percentile(&durations, 50)?,
            p99_ms: percentile(&durations, 99)?,
            ops_s: count / took,
        })
    }

    /// The answer to a login, for the person of this number.
    async fn post(&self, begun: &Begun, shape: Option<Shape>, (person, is_good): (usize, bool)) -> Result<Post> {
        let response = match shape {
            Some(shape) => self.provider.respond(&self.answer(&begun.request, person, is_good), shape).await?,
            None => "<x></x>".to_owned(),
        };
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("SAMLResponse", &BASE64.encode(response))
            .append_pair("RelayState", &begun.relay_state)
            .finish();
        Ok(Post { cookie: begun.cookie.clone(), body: body.into() })
    }
}

/// Begins a login in a new browser.
async fn begin(http: &mut Connection) -> Result<Begun> {
    let reply = http.send(Request::get(authorization(TENANT, CLIENT)).body(Full::default())?).await?;
    let header = |name: header::HeaderName| -> Result<&str> {
        let value = reply.headers().get(&name);
        Ok(value.with_context(|| format!("a login begins with {} and no {name}", reply.status()))?.to_str()?)
    };
    let (cookie, _) = header(header::SET_COOKIE)?.split_once(';').context("a cookie without attributes")?;
    let location = Url::parse(header(header::LOCATION)?)?;
    let message = RedirectMessage::read(location.query().unwrap_or_default())?;
    let (_, id) = message.xml.split_once(" ID=\"").context("a request without an id")?;
    Ok(Begun {
        cookie: cookie.to_owned(),
        relay_state: message.relay_state.context("a request without RelayState")?,
        request: id.split('"').next().unwrap_or_default().to_owned(),
    })
}

/// Lets everybody post so many; those that are left, and how long each took.
async fn all(
    lanes: Vec<Lane>,
    path: &str,
    count: usize,
    expected: StatusCode,
) -> Result<(Vec<Lane>, Vec<std::time::Duration>)> {
    let posting = lanes.into_iter().map(|mut lane| async move {
        let mut durations = Vec::new();
        for post in lane.posts.split_off(lane.posts.len().saturating_sub(count)) {
            let request = Request::post(path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::COOKIE, post.cookie)
                .body(Full::new(post.body))?;
            let from = now();
            let reply = lane.http.send(request).await?;
            durations.push(from.elapsed());
            let said = || String::from_utf8_lossy(reply.body()).into_owned();
            ensure!(reply.status() == expected, "{path}: {} {}", reply.status(), said());
        }
        anyhow::Ok((lane, durations))
    });
    let done = futures_util::future::try_join_all(posting).await?;
    let (lanes, durations): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    Ok((lanes, durations.into_iter().flatten().collect()))
}

/// Our certificate to encrypt for, from our metadata.
fn encryption_certificate(metadata: &str) -> Result<Certificate> {
    let (_, key) = metadata.split_once("use=\"encryption\"").context("no key to encrypt for")?;
    let text = key.split("X509Certificate>").nth(1).and_then(|text| text.split('<').next());
    Ok(Certificate::read(text.context("no certificate")?)?)
}
