//! Handles that lead to a record of a tenant's configuration: the locator names the tenant and the record.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{HandleSecret, is_path_id};
use crate::model::is_id;
use crate::secret::Secret;

/// What such a handle opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantHandleKind {
    /// A directory's token for SCIM.
    ScimToken,
    /// An invitation to a tenant.
    Invitation,
    /// The link of a test login.
    TestLogin,
}

impl TenantHandleKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::ScimToken => "vst_p_",
            Self::Invitation => "vst_i_",
            Self::TestLogin => "vst_t_",
        }
    }
}

/// Such a handle in parts.
#[derive(Debug, Clone)]
pub struct TenantHandle {
    /// What it opens.
    pub kind: TenantHandleKind,
    /// The tenant.
    pub tenant: String,
    /// Which record.
    pub id: String,
    /// What proves that the bearer may.
    pub secret: HandleSecret,
}

impl TenantHandle {
    /// The text that is given out.
    pub fn to_text(&self) -> String {
        let locator = URL_SAFE_NO_PAD.encode(format!("{}:{}", self.tenant, self.id));
        format!("{}{locator}.{}", self.kind.prefix(), URL_SAFE_NO_PAD.encode(self.secret.expose()))
    }

    /// Reads a text as a handle of `kind`. `None` for anything else.
    pub fn parse(kind: TenantHandleKind, text: &str) -> Option<Self> {
        let (locator, secret) = text.strip_prefix(kind.prefix())?.split_once('.')?;
        let locator = String::from_utf8(URL_SAFE_NO_PAD.decode(locator).ok()?).ok()?;
        let (tenant, id) = locator.split_once(':')?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        let is_ours = is_id(tenant) && is_path_id(id);
        is_ours.then(|| Self { kind, tenant: tenant.to_owned(), id: id.to_owned(), secret: Secret::new(secret) })
    }

    /// Whether this may be the id of a record that such a handle names.
    pub fn is_id(id: &str) -> bool {
        is_path_id(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_out_is_read_back_and_nothing_else_is_one() {
        let kind = TenantHandleKind::ScimToken;
        let handle = TenantHandle { kind, tenant: "acme".into(), id: "ab_c-D".into(), secret: Secret::new([7; 32]) };
        let text = handle.to_text();
        let parsed = TenantHandle::parse(kind, &text).unwrap();
        assert_eq!((parsed.tenant.as_str(), parsed.id.as_str(), parsed.secret), ("acme", "ab_c-D", handle.secret));
        for wrong in ["", &text[1..], &text[..text.len() - 2], &text.replace("vst_p_", "vst_a_")] {
            assert!(TenantHandle::parse(kind, wrong).is_none(), "{wrong}");
        }
        assert!(TenantHandle::parse(TenantHandleKind::TestLogin, &text).is_none());
        for locator in ["acme", "ACME:a", ":a", "acme:", "acme:a:b", "acme:a#b", "acme/other:a"] {
            let secret = URL_SAFE_NO_PAD.encode([7; 32]);
            let forged = format!("vst_p_{}.{secret}", URL_SAFE_NO_PAD.encode(locator));
            assert!(TenantHandle::parse(kind, &forged).is_none(), "{locator}");
        }
    }
}
