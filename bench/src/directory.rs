//! The directory of a tenant: ten thousand people unless told otherwise, a group of a thousand of them, and what is asked
//! of them by SCIM.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::connection::Connection;
use crate::measure::CONCURRENCY;
use crate::scene::put;
use crate::workload::Workload;

/// The people who are there before anything is measured, unless told otherwise.
pub(crate) const PEOPLE: usize = 10_000;
/// Those of them who are made with one request: more would take longer than an idle connection may live.
const BULK: usize = 25;
/// Those of them who are in the group.
const MEMBERS: usize = 1_000;

/// A directory that is set up.
pub(crate) struct Directory {
    broker: String,
    authorization: String,
    group: String,
    /// How many people there are.
    people: usize,
    /// People who are not in the group, one for each worker.
    others: Vec<String>,
}

impl Directory {
    /// Makes the tenant, its token, so many people and the group.
    pub(crate) async fn set(broker: &str, admin_token: &str, people: usize) -> Result<Self> {
        let http = &mut Connection::open(broker).await?;
        let provisioning = json!({ "mode": "scim", "scim_requests_per_second": 50_000 });
        let tenant = json!({ "name": "A tenant with a directory", "provisioning": provisioning });
        put(http, admin_token, "/tenants/directory", &tenant).await?;
        let request = Request::post("/admin/v1/tenants/directory/scim-tokens")
            .header(header::AUTHORIZATION, format!("Bearer {admin_token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(json!({ "name": "benchmark" }).to_string()))?;
        let made: Value = serde_json::from_slice(http.send(request).await?.body())?;
        let token = made.get("token").and_then(Value::as_str).context("no SCIM token")?;
        let mut directory = Self {
            broker: broker.to_owned(),
            authorization: format!("Bearer {token}"),
            group: String::new(),
            people,
            others: Vec::new(),
        };
        let ids = directory.populate().await?;
        let (members, others) = ids.split_at_checked(MEMBERS).context("too few people")?;
        directory.others = others.iter().take(CONCURRENCY).cloned().collect();
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "A thousand", "members": members,
        });
        directory.group =
            id(&directory.send(http, (Method::POST, "/Groups", Some(&group)), StatusCode::CREATED).await?)?;
        Ok(directory)
    }

    /// The broker's origin.
    pub(crate) fn broker(&self) -> &str {
        &self.broker
    }

    /// Everybody's ids. They come in bulk, from as many connections as load does.
    async fn populate(&self) -> Result<Vec<String>> {
        let workers = (0..CONCURRENCY).map(|worker| async move {
            let mut http = Connection::open(&self.broker).await?;
            let mut made = Vec::new();
            for first in (worker * BULK..self.people).step_by(CONCURRENCY * BULK) {
                made.push((first, self.create(&mut http, first..(first + BULK).min(self.people)).await?));
            }
            anyhow::Ok(made)
        });
        let mut made: Vec<_> = futures_util::future::try_join_all(workers).await?.into_iter().flatten().collect();
        made.sort_by_key(|(first, _)| *first);
        Ok(made.into_iter().flat_map(|(_, ids)| ids).collect())
    }

    /// Creates some people in one request (RFC 7644 §3.7).
    async fn create(&self, http: &mut Connection, numbers: Range<usize>) -> Result<Vec<String>> {
        let operation = |number: usize| {
            let data = person(&format!("person-{number}@corp.example"));
            json!({ "method": "POST", "path": "/Users", "bulkId": format!("p{number}"), "data": data })
        };
        let operations: Vec<Value> = numbers.map(operation).collect();
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "failOnErrors": 1, "Operations": operations,
        });
        let done = self.send(http, (Method::POST, "/Bulk", Some(&bulk)), StatusCode::OK).await?;
        let done = done.get("Operations").and_then(Value::as_array).context("a bulk without operations")?;
        let id = |one: &Value| {
            let location = one.get("location").and_then(Value::as_str);
            let (_, id) = location.and_then(|location| location.rsplit_once('/')).with_context(|| one.to_string())?;
            Ok(id.to_owned())
        };
        done.iter().map(id).collect()
    }

    /// One operation of a worker: its number, and which of its operations it is.
    pub(crate) async fn operate(
        &self,
        http: &mut Connection,
        workload: Workload,
        (worker, turn): (usize, usize),
    ) -> Result<()> {
        let scattered = (worker * 7_919 + turn * 104_729) % self.people;
        match workload {
            Workload::CreateUser => {
                let body = person(&format!("new-{worker}-{turn}@corp.example"));
                self.send(http, (Method::POST, "/Users", Some(&body)), StatusCode::CREATED).await?;
            }
            Workload::FindUser => {
                let filter = format!("userName eq \"person-{scattered}@corp.example\"");
                let query = form_urlencoded::Serializer::new(String::new()).append_pair("filter", &filter).finish();
                let found = self.send(http, (Method::GET, &format!("/Users?{query}"), None), StatusCode::OK).await?;
                ensure!(found.get("totalResults") == Some(&1.into()), "person {scattered} was not found");
            }
            Workload::ListUsers => {
                let start = scattered / 100 * 100 + 1;
                let path = format!("/Users?startIndex={start}&count=100");
                let page = self.send(http, (Method::GET, &path, None), StatusCode::OK).await?;
                ensure!(page.get("itemsPerPage") == Some(&100.into()), "a page from {start} is not full");
            }
            Workload::WalkUsers => {
                let path = "/Users?filter=name.familyName%20eq%20%22nobody%22";
                let found = self.send(http, (Method::GET, path, None), StatusCode::OK).await?;
                ensure!(found.get("totalResults") == Some(&0.into()), "somebody fulfils the filter");
            }
            Workload::ChangeMember => {
                let member = self.others.get(worker).context("too few people")?;
                let operation = if turn % 2 == 1 {
                    json!({ "op": "add", "path": "members", "value": [{ "value": member }] })
                } else {
                    json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") })
                };
                let body = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation],
                });
                let path = format!("/Groups/{}", self.group);
                self.send(http, (Method::PATCH, &path, Some(&body)), StatusCode::NO_CONTENT).await?;
            }
            Workload::LoginStart | Workload::Login | Workload::Refresh | Workload::Userinfo | Workload::Documents => {}
        }
        Ok(())
    }

    async fn send(
        &self,
        http: &mut Connection,
        (method, path, body): (Method, &str, Option<&Value>),
        expected: StatusCode,
    ) -> Result<Value> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header(header::AUTHORIZATION, self.authorization.as_str())
            .header(header::CONTENT_TYPE, "application/scim+json")
            .body(Full::new(body))?;
        let reply = http.send(request).await?;
        ensure!(reply.status() == expected, "{path}: {} {}", reply.status(), String::from_utf8_lossy(reply.body()));
        if reply.body().is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(reply.body())?) }
    }
}

/// A person as directories push them.
fn person(address: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": address, "externalId": format!("x-{address}"), "displayName": "A Person",
        "name": { "givenName": "A", "familyName": "Person" },
        "emails": [{ "value": address, "type": "work", "primary": true }], "active": true,
    })
}

fn id(resource: &Value) -> Result<String> {
    resource.get("id").and_then(Value::as_str).map(str::to_owned).context("a resource without an id")
}
