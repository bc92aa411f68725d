//! An OpenID provider that is real where it matters: it checks redirect URIs, PKCE and client authentication, its codes
//! work once, and it signs with a real key. It can be told to lie.
//!
//! In a test it is the broker's [`HttpClient`](vestibule_core::platform::HttpClient): discovery, keys, token and
//! userinfo are answered in process, and any other request is an error that [`FakeOidcIdp::unexpected`] shows. As a
//! server (feature `server`) it is the demo's identity provider, with a login page. State is in memory; a restart
//! forgets sign-ins and makes a new key.

mod assertion;
mod authorize;
mod family;
mod lie;
mod logout;
mod notice;
mod people;
mod request;
mod route;
mod script;
mod signer;
mod token;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use vestibule_core::platform::{Clock, Crypto, CryptoError, PrivateKey, Random};
use vestibule_protocol::jose::{Algorithm, PublicKey};
use vestibule_protocol::time::Timestamp;

pub use lie::Lie;
pub use request::Demand;
#[cfg(feature = "server")]
pub use route::router;
pub use script::{Canned, Document};
use signer::NamedKey;

/// How a client proves who it is at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// HTTP Basic (RFC 6749 §2.3.1).
    Basic,
    /// Parameters in the body.
    Post,
    /// A signed assertion (RFC 7523), with a key of [`FakeOidcIdp::trust_keys`].
    PrivateKeyJwt,
    /// Not at all: only PKCE protects its codes.
    None,
}

/// A client of the provider, usually the broker.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The only way in which it may authenticate.
    pub client_auth: ClientAuth,
    /// Compared character by character.
    pub redirect_uris: Vec<String>,
    /// Where a logout may lead.
    pub post_logout_redirect_uris: Vec<String>,
}

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct Account {
    /// What is typed at the login page; an e-mail address.
    pub username: String,
    /// The password, in the clear: shown on the demo's login page.
    pub password: String,
    /// The subject in tokens.
    pub subject: String,
    /// More claims for ID token and userinfo, such as `name`.
    pub claims: Map<String, Value>,
}

impl Account {
    /// Somebody whose user name is an e-mail address, verified.
    pub fn new(username: &str, password: &str, subject: &str, name: &str) -> Self {
        let claims = [("email", json!(username)), ("email_verified", json!(true)), ("name", json!(name))];
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
            subject: subject.to_owned(),
            claims: claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// The same person with one more claim. What the provider itself says in ID tokens comes before it.
    #[must_use]
    pub fn with_claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }
}

/// What a code or token stands for.
#[derive(Debug, Clone)]
struct Grant {
    client_id: String,
    redirect_uri: String,
    nonce: Option<String>,
    challenge: Option<String>,
    username: String,
    scope: String,
    auth_time: Timestamp,
    issued_at: Timestamp,
    /// All tokens of one sign-in.
    family: String,
}

struct State {
    signing: NamedKey,
    /// Earlier keys that are still in the set.
    retired: Vec<NamedKey>,
    clients: BTreeMap<String, Registration>,
    accounts: Vec<Account>,
    lies: HashSet<Lie>,
    /// Keys with which clients sign assertions.
    client_keys: Vec<PublicKey>,
    /// Assertions that were used.
    used_assertions: HashSet<String>,
    /// The claims of the last good assertion.
    last_assertion: Option<Value>,
    /// What it insists on.
    demands: HashSet<Demand>,
    /// Requests that were sent ahead, by name.
    pushed: HashMap<String, request::Pushed>,
    /// The claims of the last good signed request.
    last_request_object: Option<Value>,
    /// Members that are said in place of the true ones; null takes one away.
    said: HashMap<Document, Map<String, Value>>,
    /// Paths that answer something else altogether.
    canned: HashMap<String, Canned>,
    /// Browser session -> user name and the time of its sign-in.
    sessions: HashMap<String, (String, Timestamp)>,
    codes: HashMap<String, Grant>,
    access_tokens: HashMap<String, Grant>,
    refresh_tokens: HashMap<String, Grant>,
    /// Refresh tokens that were used, with their families.
    spent: HashMap<String, String>,
    /// Access tokens of programs, with their ends.
    program_tokens: HashMap<String, i64>,
    /// Who is switched off, by user name.
    inactive: HashSet<String>,
    requests: Vec<String>,
    unexpected: Vec<String>,
}

/// The provider. Share it in an `Arc`; every knob takes `&self`.
pub struct FakeOidcIdp {
    issuer: String,
    crypto: Arc<dyn Crypto>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    state: Mutex<State>,
}

impl FakeOidcIdp {
    /// A provider at `issuer` (an origin, no trailing slash) with a new ES256 key, no client and nobody to sign in.
    pub async fn new(
        issuer: &str,
        crypto: Arc<dyn Crypto>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, CryptoError> {
        let key = crypto.generate(Algorithm::ES256).await?;
        let state = State {
            signing: NamedKey { kid: random_text(&*random), key },
            retired: Vec::new(),
            clients: BTreeMap::new(),
            accounts: Vec::new(),
            lies: HashSet::new(),
            client_keys: Vec::new(),
            used_assertions: HashSet::new(),
            last_assertion: None,
            demands: HashSet::new(),
            pushed: HashMap::new(),
            last_request_object: None,
            said: HashMap::new(),
            canned: HashMap::new(),
            sessions: HashMap::new(),
            codes: HashMap::new(),
            access_tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            spent: HashMap::new(),
            program_tokens: HashMap::new(),
            inactive: HashSet::new(),
            requests: Vec::new(),
            unexpected: Vec::new(),
        };
        Ok(Self { issuer: issuer.to_owned(), crypto, clock, random, state: Mutex::new(state) })
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Adds or replaces a client.
    pub fn register(&self, client: Registration) {
        self.state().clients.insert(client.client_id.clone(), client);
    }

    /// Adds an account, or replaces the one with its user name.
    pub fn add_account(&self, account: Account) {
        let mut state = self.state();
        state.accounts.retain(|known| known.username != account.username);
        state.accounts.push(account);
    }

    /// Removes an account. Its codes, refresh tokens and sign-ins stop working.
    pub fn remove_account(&self, username: &str) {
        self.state().accounts.retain(|known| known.username != username);
    }

    /// Starts to misbehave in this way.
    pub fn lie(&self, lie: Lie) {
        self.state().lies.insert(lie);
    }

    /// Stops misbehaving, whatever it was told.
    pub fn be_honest(&self) {
        let mut state = self.state();
        state.lies.clear();
        state.said.clear();
        state.canned.clear();
        state.demands.clear();
    }

    /// Signs with a new key. The old one stays published when `keep_old` is set.
    pub async fn rotate_key(&self, keep_old: bool) -> Result<(), CryptoError> {
        let key = self.crypto.generate(Algorithm::ES256).await?;
        self.use_key(key, keep_old);
        Ok(())
    }

    /// Signs with this key from now on, an RSA key for example.
    pub fn use_key(&self, key: PrivateKey, keep_old: bool) {
        let kid = random_text(&*self.random);
        let mut state = self.state();
        let old = std::mem::replace(&mut state.signing, NamedKey { kid, key });
        if keep_old {
            state.retired.push(old);
        } else {
            state.retired.clear();
        }
    }

    /// How many requests came for this path, such as `/jwks`.
    pub fn requests(&self, path: &str) -> usize {
        self.state().requests.iter().filter(|seen| *seen == path).count()
    }

    /// Requests through [`HttpClient`](vestibule_core::platform::HttpClient) that no honest relying party sends, as
    /// `METHOD URL`. A test ends with a look at it.
    pub fn unexpected(&self) -> Vec<String> {
        self.state().unexpected.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in one test thread must not hide behind a poisoned lock in another.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lies(&self, lie: Lie) -> bool {
        self.state().lies.contains(&lie)
    }

    fn account(&self, username: &str) -> Option<Account> {
        let state = self.state();
        let active = state.accounts.iter().filter(|account| !state.inactive.contains(&account.username));
        active.into_iter().find(|account| account.username == username).cloned()
    }

    fn secret(&self) -> String {
        random_text(&*self.random)
    }
}

/// 128 random bits as text.
pub(crate) fn random_text(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
