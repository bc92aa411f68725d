//! Handles: every bearer-like text that we give out. `prefix_locator.secret`, the locator naming where the record
//! lies, the secret 256 random bits. Only SHA-256 of the secret is stored.
//!
//! The prefix says what it is to people and to secret scanners, and keeps one kind from being taken for another.

mod tenant;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use self::tenant::{TenantHandle, TenantHandleKind};
use crate::platform::Random;
use crate::secret::Secret;
use crate::store::key::SessionShard;

/// What a handle opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleKind {
    /// An authorization code.
    Code,
    /// A refresh token.
    Refresh,
    /// A browser's session cookie.
    Session,
    /// The cookie of a sign-in that waits at a checkpoint.
    Checkpoint,
}

impl HandleKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Code => "vst_c",
            Self::Refresh => "vst_r",
            Self::Session => "vst_s",
            Self::Checkpoint => "vst_k",
        }
    }
}

/// SHA-256 of a secret, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl SecretHash {
    /// The hash of a secret's bytes.
    pub fn of(secret: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(Sha256::digest(secret)))
    }

    /// Whether `secret` is the one behind this hash, in constant time.
    pub fn matches(&self, secret: &[u8]) -> bool {
        Self::of(secret).0.as_bytes().ct_eq(self.0.as_bytes()).into()
    }

    /// The hash's text: the name of what it opens, where the hash is the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 256 random bits.
pub type HandleSecret = Secret<[u8; 32]>;

/// A new secret.
pub fn new_secret(random: &dyn Random) -> HandleSecret {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    Secret::new(bytes)
}

/// A new public id: 128 random bits in base64url, 22 characters.
pub fn new_id(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where in the sessions of a tenant a handle leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locator {
    /// The partition.
    pub shard: SessionShard,
    /// The session, or whatever path leads to the record in that partition; one or two ids.
    pub path: Vec<String>,
}

/// A handle in parts.
#[derive(Debug, Clone)]
pub struct Handle {
    /// What it opens.
    pub kind: HandleKind,
    /// Where that lies.
    pub locator: Locator,
    /// What proves that the bearer may.
    pub secret: HandleSecret,
}

impl Handle {
    /// The text that is given out.
    pub fn to_text(&self) -> String {
        let Locator { shard, path } = &self.locator;
        let locator = format!("{}:{}:{}", shard.tenant, shard.number, path.join(":"));
        let secret = URL_SAFE_NO_PAD.encode(self.secret.expose());
        format!("{}_{}.{secret}", self.kind.prefix(), URL_SAFE_NO_PAD.encode(locator))
    }

    /// Reads a text as a handle of `kind` whose path has `length` ids. `None` for anything else.
    pub fn parse(kind: HandleKind, length: usize, text: &str) -> Option<Self> {
        let (locator, secret) = text.strip_prefix(kind.prefix())?.strip_prefix('_')?.split_once('.')?;
        let locator = String::from_utf8(URL_SAFE_NO_PAD.decode(locator).ok()?).ok()?;
        let mut parts = locator.split(':');
        let tenant = parts.next().filter(|tenant| crate::model::is_id(tenant))?.to_owned();
        // One text for one handle: a number is read as it is written, without a sign or zeros in front.
        let number = parts.next()?;
        let number = number.parse().ok().filter(|read: &u16| read.to_string() == number)?;
        let path: Vec<String> = parts.map(str::to_owned).collect();
        let path_is_ours = path.len() == length && path.iter().all(|id| is_path_id(id));
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        path_is_ours.then_some(Self {
            kind,
            locator: Locator { shard: SessionShard { tenant, number }, path },
            secret: Secret::new(secret),
        })
    }
}

/// An administrator's token in parts: its id says where the record lies.
#[derive(Debug, Clone)]
pub struct AdminHandle {
    /// Which token.
    pub id: String,
    /// What proves that the bearer may.
    pub secret: HandleSecret,
}

impl AdminHandle {
    const PREFIX: &str = "vst_a_";

    /// The text that is given out.
    pub fn to_text(&self) -> String {
        format!("{}{}.{}", Self::PREFIX, self.id, URL_SAFE_NO_PAD.encode(self.secret.expose()))
    }

    /// Reads a text as a token. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(Self::PREFIX)?.split_once('.')?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Self::is_id(id).then(|| Self { id: id.to_owned(), secret: Secret::new(secret) })
    }

    /// Whether this may be the id of a token.
    pub fn is_id(id: &str) -> bool {
        is_path_id(id)
    }
}

/// Whether this may be an id that we gave out.
pub(crate) fn is_path_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle() -> Handle {
        Handle {
            kind: HandleKind::Refresh,
            locator: Locator {
                shard: SessionShard { tenant: "acme".into(), number: 3 },
                path: vec!["sess-1".into(), "fam_2".into()],
            },
            secret: Secret::new([7; 32]),
        }
    }

    #[test]
    fn what_was_given_out_is_read_back() {
        let parsed = Handle::parse(HandleKind::Refresh, 2, &handle().to_text()).unwrap();
        assert_eq!(parsed.locator, handle().locator);
        assert_eq!(parsed.secret, handle().secret);
    }

    #[test]
    fn other_kinds_shapes_and_odd_ids_are_not_handles() {
        let text = handle().to_text();
        assert!(Handle::parse(HandleKind::Code, 2, &text).is_none());
        assert!(Handle::parse(HandleKind::Refresh, 1, &text).is_none());
        assert!(Handle::parse(HandleKind::Refresh, 2, &text[1..]).is_none());
        assert!(Handle::parse(HandleKind::Refresh, 2, &text[..text.len() - 4]).is_none());
        for locator in
            ["acme:3:a#b:c", "acme:x:a:b", "ACME:3:a:b", "acme:3::b", "acme:3:a", "acme:03:a:b", "acme:+3:a:b"]
        {
            let forged = format!("vst_r_{}.{}", URL_SAFE_NO_PAD.encode(locator), URL_SAFE_NO_PAD.encode([7; 32]));
            assert!(Handle::parse(HandleKind::Refresh, 2, &forged).is_none(), "{locator}");
        }
    }

    #[test]
    fn an_administrators_token_is_read_back_and_nothing_else_is_one() {
        let text = AdminHandle { id: "ab_c-D".into(), secret: Secret::new([7; 32]) }.to_text();
        let parsed = AdminHandle::parse(&text).unwrap();
        assert_eq!((parsed.id.as_str(), parsed.secret.expose()), ("ab_c-D", &[7; 32]));
        assert!(Handle::parse(HandleKind::Session, 1, &text).is_none());
        let short = &text[..text.len() - 2];
        let secret = URL_SAFE_NO_PAD.encode([7; 32]);
        for wrong in
            [short, &text[1..], &handle().to_text(), &format!("vst_a_.{secret}"), &format!("vst_a_a#b.{secret}")]
        {
            assert!(AdminHandle::parse(wrong).is_none(), "{wrong}");
        }
    }

    /// TK-3
    #[test]
    fn a_hash_matches_its_secret_only() {
        let hash = SecretHash::of(&[1; 32]);
        assert!(hash.matches(&[1; 32]));
        assert!(!hash.matches(&[2; 32]) && !hash.matches(&[]));
    }
}
