//! One blocking HTTP request.

use std::time::Duration;

use anyhow::Result;
use ureq::Agent;

/// What came back, whatever the status.
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// The body, as text.
    pub(crate) body: String,
}

/// GETs an address.
pub(crate) fn get(url: &str) -> Result<Response> {
    read(agent(Duration::from_secs(5)).get(url).call()?)
}

/// POSTs nothing to an address, which may take its time to answer.
pub(crate) fn post(url: &str) -> Result<Response> {
    read(agent(Duration::from_mins(2)).post(url).send_empty()?)
}

fn agent(timeout: Duration) -> Agent {
    Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).max_redirects(0).build().into()
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Response> {
    let body = response.body_mut().read_to_string()?;
    Ok(Response { status: response.status().as_u16(), body })
}
