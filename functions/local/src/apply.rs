//! `vestibule apply`: a deployment file, written to a broker through its admin API.
//!
//! ```json
//! {"tenants": {"acme": {"name": "Acme", "connections": {"main": {…}}}}, "clients": {"app": {…}}}
//! ```
//!
//! Every object is created or replaced; none is deleted. Applying the same file again changes nothing.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use reqwest::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use crate::arguments::Apply;
use crate::{data, say};

/// `vestibule apply`.
pub(crate) async fn run(arguments: &Apply) -> Result<()> {
    let name = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file).with_context(|| format!("{name} cannot be read"))?;
    let file = serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))?;
    let objects = objects(&file).with_context(|| format!("{name} is not a deployment file"))?;
    put_all(&arguments.url, &data::admin_token(&arguments.data)?, objects).await
}

/// One object of the admin API.
#[derive(Debug, PartialEq)]
struct Object {
    /// What a person calls it.
    name: String,
    /// Below `/admin/v1`.
    path: Vec<String>,
    body: Value,
}

/// Applies a deployment that is at hand.
pub(crate) async fn apply(broker: &str, token: &str, deployment: &Value) -> Result<()> {
    put_all(broker, token, objects(deployment)?).await
}

/// The objects in the order in which they can be written: a connection needs its tenant.
fn objects(file: &Value) -> Result<Vec<Object>> {
    let mut found = Vec::new();
    for (section, entries) in object(file, "the file")? {
        let kind = match section.as_str() {
            "tenants" => "tenant",
            "clients" => "client",
            other => bail!("{other:?} is neither \"tenants\" nor \"clients\""),
        };
        for (id, body) in object(entries, section)? {
            let name = format!("{kind} {id}");
            let mut body = object(body, &name)?.clone();
            let connections = if kind == "tenant" { body.remove("connections") } else { None };
            let path = vec![section.clone(), id.clone()];
            found.push(Object { name, path, body: Value::Object(body) });
            for (connection, body) in connections.as_ref().map_or(Ok(&Map::new()), |all| object(all, "connections"))? {
                let name = format!("connection {id}/{connection}");
                let path = vec![section.clone(), id.clone(), "connections".to_owned(), connection.clone()];
                found.push(Object { body: Value::Object(object(body, &name)?.clone()), name, path });
            }
        }
    }
    // Tenants before clients, which may name them.
    found.sort_by_key(|object| object.path.first().is_some_and(|section| section == "clients"));
    Ok(found)
}

fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| anyhow!("{name} is not an object"))
}

/// Writes the objects one after another and reports each. All are tried; one failure makes the whole fail.
async fn put_all(broker: &str, token: &str, objects: Vec<Object>) -> Result<()> {
    let base = Url::parse(broker).ok().filter(|url| !url.cannot_be_a_base());
    let base = base.with_context(|| format!("{broker:?} is not the address of a broker"))?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30));
    // The token is for the broker alone.
    let client = client.redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let total = objects.len();
    let mut failed = 0;
    for Object { name, path, body } in objects {
        let mut url = base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("{broker:?} has no path"))?
            .pop_if_empty()
            .extend(["admin", "v1"])
            .extend(&path);
        let request = client.put(url).bearer_auth(token).header("content-type", "application/json");
        let reply =
            request.body(body.to_string()).send().await.with_context(|| format!("{broker} cannot be reached"))?;
        match reply.status() {
            StatusCode::CREATED => say(&format!("created   {name}")),
            StatusCode::OK => say(&format!("replaced  {name}")),
            StatusCode::UNAUTHORIZED => bail!("{broker} does not accept the admin token"),
            status => {
                failed += 1;
                let text: String = reply.text().await.unwrap_or_default().trim().chars().take(500).collect();
                eprintln!("failed    {name}: {status} {text}");
            }
        }
    }
    if failed > 0 { Err(anyhow!("{failed} of {total} could not be applied")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::extract::Request;
    use axum::http::StatusCode as Status;
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    /// An admin API that knows no clients, and what it was asked.
    async fn broker() -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let router = axum::Router::new().fallback(async move |request: Request| {
            let token = request.headers()["authorization"].to_str().unwrap_or_default();
            if token != format!("Bearer {TOKEN}") {
                return (Status::UNAUTHORIZED, "");
            }
            let path = request.uri().path().to_owned();
            let status = if path.contains("/clients/") { Status::BAD_REQUEST } else { Status::CREATED };
            log.lock().expect("no panic").push(format!("{} {path}", request.method()));
            (status, "no such thing")
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        (format!("http://{address}"), seen)
    }

    #[tokio::test]
    async fn every_object_is_put_and_a_failure_is_told_at_the_end() {
        let (broker, seen) = broker().await;
        let tenants = json!({"a": {"connections": {"b/../c": {}}}});
        apply(&format!("{broker}/"), TOKEN, &json!({"tenants": tenants})).await.expect("applies");
        assert_eq!(
            *seen.lock().expect("no panic"),
            ["PUT /admin/v1/tenants/a", "PUT /admin/v1/tenants/a/connections/b%2F..%2Fc"]
        );
        let mixed = json!({"clients": {"app": {}, "other": {}}, "tenants": {"a": {}}});
        let error = apply(&broker, TOKEN, &mixed).await.expect_err("clients are refused").to_string();
        assert_eq!(error, "2 of 3 could not be applied");
    }

    #[tokio::test]
    async fn a_wrong_token_or_address_is_said_at_once() {
        let (broker, _) = broker().await;
        let one = json!({"tenants": {"a": {}}});
        let error = apply(&broker, "another", &one).await.expect_err("refused").to_string();
        assert!(error.contains("admin token") && !error.contains("another"), "{error}");
        for address in ["localhost:8787", "nonsense", "http://127.0.0.1:1"] {
            let error = apply(address, TOKEN, &one).await.expect_err("refused").to_string();
            assert!(error.contains(address), "{error}");
        }
    }

    #[test]
    fn tenants_come_before_their_connections_and_clients_last() {
        let file = json!({
            "clients": {"app": {"name": "App"}},
            "tenants": {"b": {"name": "B"}, "a": {"name": "A", "connections": {"main": {"protocol": "oidc"}}}},
        });
        let found = objects(&file).expect("a deployment");
        let names: Vec<_> = found.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(names, ["tenant a", "connection a/main", "tenant b", "client app"]);
        assert_eq!(found[0].body, json!({"name": "A"}), "connections are objects of their own");
        assert_eq!(found[1].path, ["tenants", "a", "connections", "main"]);
    }

    #[test]
    fn what_is_not_a_deployment_is_refused_by_name() {
        for (file, word) in [
            (json!([]), "the file"),
            (json!({"tenant": {}}), "tenant"),
            (json!({"tenants": {"a": 1}}), "tenant a"),
            (json!({"tenants": {"a": {"connections": []}}}), "connections"),
            (json!({"tenants": {"a": {"connections": {"c": 1}}}}), "connection a/c"),
        ] {
            let error = objects(&file).expect_err("refused").to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
