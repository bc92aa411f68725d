//! Which issuers a connection believes: one, to the last slash, or those of Microsoft Entra's template.
//!
//! Entra's documents for several directories name the issuer `https://login.microsoftonline.com/{tenantid}/v2.0`; a
//! token names its directory in that place and in `tid`. Whoever believed every directory would let anybody with an
//! Entra account in, so the directories are listed.

/// What stands in a template for the directory's id.
pub const DIRECTORY: &str = "{tenantid}";

/// The issuers of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Issuers<'a> {
    /// The issuer as configured, perhaps with [`DIRECTORY`] in it.
    pub configured: &'a str,
    /// The directories that may stand there. Means nothing for an issuer without a template.
    pub directories: &'a [String],
}

impl Issuers<'_> {
    /// Whether the configured issuer is a template.
    pub fn is_template(&self) -> bool {
        self.configured.contains(DIRECTORY)
    }

    /// Whether an answer may name this issuer (RFC 9207 §2.4).
    pub fn includes(&self, issuer: &str) -> bool {
        if self.is_template() {
            self.directories.iter().any(|directory| self.of_directory(directory) == issuer)
        } else {
            issuer == self.configured
        }
    }

    /// Whether a token may name this issuer: from a template, its `tid` must be the directory that the issuer names.
    pub fn may_issue(&self, issuer: &str, tid: Option<&str>) -> bool {
        let consistent = !self.is_template() || tid.is_some_and(|tid| self.of_directory(tid) == issuer);
        consistent && self.includes(issuer)
    }

    /// Under which address the metadata is. Entra publishes the template's under `organizations`.
    pub fn discovery_base(&self) -> String {
        self.of_directory("organizations")
    }

    fn of_directory(&self, directory: &str) -> String {
        self.configured.replacen(DIRECTORY, directory, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "https://login.example/{tenantid}/v2.0";

    /// RP-4
    #[test]
    fn a_template_believes_the_listed_directories_only() {
        let directories = ["aaa".to_owned(), "bbb".to_owned()];
        let issuers = Issuers { configured: TEMPLATE, directories: &directories };
        assert!(issuers.may_issue("https://login.example/bbb/v2.0", Some("bbb")));
        for (issuer, tid) in [
            ("https://login.example/ccc/v2.0", Some("ccc")),
            ("https://login.example/bbb/v2.0", Some("aaa")),
            ("https://login.example/bbb/v2.0", None),
            (TEMPLATE, Some("{tenantid}")),
            (TEMPLATE, None),
            ("https://login.example//v2.0", Some("")),
            ("https://evil.example/bbb/v2.0", Some("bbb")),
        ] {
            assert!(!issuers.may_issue(issuer, tid), "{issuer} {tid:?}");
        }
        assert_eq!(issuers.discovery_base(), "https://login.example/organizations/v2.0");
    }

    #[test]
    fn without_a_template_there_is_one_issuer() {
        let directories = ["aaa".to_owned()];
        let issuers = Issuers { configured: "https://idp.example/", directories: &directories };
        assert!(issuers.may_issue("https://idp.example/", None) && issuers.includes("https://idp.example/"));
        for other in ["https://idp.example", "https://idp.example/aaa", "aaa", ""] {
            assert!(!issuers.may_issue(other, Some("aaa")) && !issuers.includes(other), "{other}");
        }
    }
}
