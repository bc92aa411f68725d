//! The way to the broker.

use async_trait::async_trait;

/// Fetches the broker's documents. An implementation should follow no redirects, give up after some seconds, and refuse
/// answers of more than a megabyte.
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// The body of a 200 answer to a GET.
    async fn get(&self, url: &str) -> Result<String, FetchError>;
}

/// Why there is no answer; the text is for the application's log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

#[cfg(feature = "reqwest")]
pub use self::client::Http;

#[cfg(feature = "reqwest")]
mod client {
    use std::time::Duration;

    use async_trait::async_trait;
    use reqwest::redirect::Policy;
    use reqwest::{Client, StatusCode};

    use super::{Fetch, FetchError};

    /// How long an answer may take.
    const TIMEOUT: Duration = Duration::from_secs(5);
    /// Largest answer that is read, in bytes. The largest status list there is has 234,000.
    const LARGEST: usize = 1024 * 1024;

    /// The way to the broker over HTTP.
    #[derive(Debug, Clone)]
    pub struct Http(Client);

    impl Http {
        /// A client that follows no redirects and waits for five seconds.
        pub fn new() -> Result<Self, FetchError> {
            let client = Client::builder().redirect(Policy::none()).timeout(TIMEOUT).build();
            client.map(Self).map_err(|error| FetchError(error.to_string()))
        }
    }

    #[async_trait]
    impl Fetch for Http {
        async fn get(&self, url: &str) -> Result<String, FetchError> {
            let failed = |error: reqwest::Error| FetchError(format!("{url}: {error}"));
            let mut answer = self.0.get(url).send().await.map_err(failed)?;
            if answer.status() != StatusCode::OK {
                return Err(FetchError(format!("{url}: {}", answer.status())));
            }
            let mut body = Vec::new();
            while let Some(part) = answer.chunk().await.map_err(failed)? {
                body.extend_from_slice(&part);
                if body.len() > LARGEST {
                    return Err(FetchError(format!("{url}: the answer is too large")));
                }
            }
            String::from_utf8(body).map_err(|_| FetchError(format!("{url}: the answer is not text")))
        }
    }
}
