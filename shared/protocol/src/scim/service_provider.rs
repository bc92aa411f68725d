//! What the server can do (RFC 7643 §5, RFC 9865 §4), as `/ServiceProviderConfig` says it. It must be true: directories
//! decide by it what they send.

use serde_json::{Value, json};

/// The limits that a server of ours has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceProvider {
    /// Most operations of a bulk request.
    pub max_bulk_operations: usize,
    /// Most bytes of one.
    pub max_bulk_bytes: usize,
    /// Most resources on a page.
    pub max_results: usize,
    /// How long a cursor is good for, in seconds.
    pub cursor_seconds: i64,
}

impl ServiceProvider {
    /// The document, `base` being the address of the SCIM server.
    pub fn document(&self, base: &str) -> Value {
        let supported = json!({ "supported": true });
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": supported,
            "bulk": {
                "supported": true,
                "maxOperations": self.max_bulk_operations,
                "maxPayloadSize": self.max_bulk_bytes,
            },
            "filter": { "supported": true, "maxResults": self.max_results },
            // Passwords are accepted and thrown away: people sign in at their identity provider.
            "changePassword": { "supported": false },
            "sort": supported,
            "etag": supported,
            "pagination": {
                "cursor": true,
                "index": true,
                "defaultPaginationMethod": "index",
                "defaultPageSize": self.max_results,
                "maxPageSize": self.max_results,
                "cursorTimeout": self.cursor_seconds,
            },
            "authenticationSchemes": [
                {
                    "type": "oauthbearertoken",
                    "name": "Bearer token",
                    "description": "A token that an administrator made, or an access token with the scope scim",
                    "specUri": "https://www.rfc-editor.org/info/rfc6750",
                    "primary": true,
                },
                {
                    "type": "oauth2",
                    "name": "OAuth 2.0 client credentials",
                    "description": "Access tokens from the token endpoint, with the scope scim",
                    "specUri": "https://www.rfc-editor.org/info/rfc6749",
                },
            ],
            "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SC-15
    #[test]
    fn limits_are_those_that_hold() {
        let provider =
            ServiceProvider { max_bulk_operations: 50, max_bulk_bytes: 1_000, max_results: 200, cursor_seconds: 600 };
        let document = provider.document("https://s.example/scim/v2");
        assert_eq!(document["bulk"], json!({ "supported": true, "maxOperations": 50, "maxPayloadSize": 1_000 }));
        assert_eq!(document["filter"]["maxResults"], 200);
        assert_eq!(
            (&document["pagination"]["cursorTimeout"], &document["patch"]["supported"]),
            (&json!(600), &json!(true))
        );
        assert_eq!(document["changePassword"]["supported"], false);
        assert_eq!(document["meta"]["location"], "https://s.example/scim/v2/ServiceProviderConfig");
    }
}
