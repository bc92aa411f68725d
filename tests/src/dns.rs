//! The network of a broker in process: a DNS resolver over HTTPS with the records that a test publishes, a tenant's
//! webhook, and beyond them the identity provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use vestibule_core::platform::{HttpClient, HttpError};
use vestibule_testkit::FakeOidcIdp;

use crate::webhook::Call;

/// Where a tenant's webhook is.
pub const WEBHOOK: &str = "https://hook.example/";
/// Where the resolver is.
pub const RESOLVER: &str = "https://dns.example/dns-query";

/// What the broker reaches.
pub struct Network {
    idp: Arc<FakeOidcIdp>,
    texts: Mutex<HashMap<String, Vec<String>>>,
    down: Mutex<bool>,
    told: Mutex<Vec<Call>>,
    receivers: Mutex<HashMap<String, Receiver>>,
    documents: Mutex<HashMap<String, (u16, String, usize)>>,
}

/// Somebody else's server that we send to: what it answers, and what it got.
#[derive(Default)]
struct Receiver {
    status: u16,
    got: Vec<Call>,
}

impl Network {
    /// A network with this provider and an empty DNS.
    pub fn new(idp: &Arc<FakeOidcIdp>) -> Self {
        Self {
            idp: Arc::clone(idp),
            texts: Mutex::default(),
            down: Mutex::default(),
            told: Mutex::default(),
            receivers: Mutex::default(),
            documents: Mutex::default(),
        }
    }

    /// From now on, whatever is posted to this address is kept and answered like this; 0 is no answer.
    pub fn receive(&self, address: &str, status: u16) {
        self.receivers.lock().expect("no panic").entry(address.to_owned()).or_default().status = status;
    }

    /// What came to an address since the last look.
    pub fn received(&self, address: &str) -> Vec<Call> {
        let mut receivers = self.receivers.lock().expect("no panic");
        receivers.get_mut(address).map(|receiver| std::mem::take(&mut receiver.got)).unwrap_or_default()
    }

    /// From now on, a GET of this address is answered like this; 0 is no answer.
    pub fn serve(&self, address: &str, status: u16, body: &str) {
        let mut documents = self.documents.lock().expect("no panic");
        let served = documents.entry(address.to_owned()).or_default();
        (served.0, served.1) = (status, body.to_owned());
    }

    /// How often what is served at an address was fetched since the last look.
    pub fn fetched(&self, address: &str) -> usize {
        let mut documents = self.documents.lock().expect("no panic");
        documents.get_mut(address).map(|served| std::mem::take(&mut served.2)).unwrap_or_default()
    }

    /// Publishes a TXT record, as resolvers write it.
    pub fn publish(&self, name: &str, data: &str) {
        self.texts.lock().expect("no panic").entry(name.to_owned()).or_default().push(data.to_owned());
    }

    /// What the webhook, which allows everything, was told since the last look.
    pub fn told(&self) -> Vec<Call> {
        std::mem::take(&mut self.told.lock().expect("no panic"))
    }

    /// Makes the resolver fail, or work again.
    pub fn resolver_is_down(&self, down: bool) {
        *self.down.lock().expect("no panic") = down;
    }
}

#[async_trait]
impl HttpClient for Network {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let address = request.uri().to_string();
        if address == WEBHOOK {
            let (parts, body) = request.into_parts();
            self.told.lock().expect("no panic").push(Call { headers: parts.headers, body });
            return Ok(Response::new(r#"{"decision":"allow","claims":{"level":1}}"#.into()));
        }
        if let Some(receiver) = self.receivers.lock().expect("no panic").get_mut(&address) {
            let (parts, body) = request.into_parts();
            receiver.got.push(Call { headers: parts.headers, body });
            let answer = Response::builder().status(receiver.status).body(Bytes::new());
            return answer.map_err(|_| HttpError::Timeout);
        }
        if let Some((status, body, fetched)) = self.documents.lock().expect("no panic").get_mut(&address) {
            *fetched += 1;
            return Response::builder().status(*status).body(body.clone().into()).map_err(|_| HttpError::Timeout);
        }
        let Some(query) = address.strip_prefix(RESOLVER) else { return self.idp.send(request).await };
        if *self.down.lock().expect("no panic") {
            return Err(HttpError::Timeout);
        }
        assert_eq!(request.headers().get("accept").and_then(|kind| kind.to_str().ok()), Some("application/dns-json"));
        let name = query.strip_prefix("?name=").and_then(|rest| rest.strip_suffix("&type=TXT")).expect("a question");
        let found = self.texts.lock().expect("no panic").get(name).cloned();
        let status = if found.is_some() { 0 } else { 3 };
        // An alias comes before what it leads to.
        let mut answer = vec![json!({"name": name, "type": 5, "TTL": 60, "data": "elsewhere.example."})];
        let records = found.into_iter().flatten();
        answer.extend(records.map(|data| json!({"name": name, "type": 16, "TTL": 60, "data": data})));
        Ok(Response::new(json!({"Status": status, "Answer": answer}).to_string().into()))
    }
}
