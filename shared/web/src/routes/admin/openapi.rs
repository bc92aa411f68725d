//! The description of the admin API (`OpenAPI` 3.1), made from the table of operations and from the types that they take
//! and show. It is made by a test and checked in as `openapi.json`, which is what is served: the schemas would cost
//! the Worker more than the text does.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use vestibule_core::Error;
use vestibule_core::admin::caller::Area;

use super::Answer;
use super::call::{Call, Input, Output};
use super::table::{self, Kind, Operation, Table};

/// The description as it is served.
pub(super) fn served() -> Result<Value, Error> {
    serde_json::from_str(include_str!("openapi.json")).map_err(|_| Error::bug("the description is no JSON"))
}

/// The description, made anew.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut document = Document {
        taken: settings.clone().for_deserialize().into_generator(),
        shown: settings.for_serialize().into_generator(),
        paths: BTreeMap::new(),
        schemas: Map::new(),
    };
    table::fill(&mut document);
    let Document { paths, mut schemas, .. } = document;
    schemas.insert("Error".to_owned(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Vestibule's admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Tenants, their identity providers, applications and people. A PUT creates or replaces; a \
                secret that is left out of a replacement stays as it was. Times are seconds since 1970.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/admin/v1" }],
        "security": [{ "administrator": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": failed_responses(),
            "securitySchemes": { "administrator": { "type": "http", "scheme": "bearer" } },
        },
    })
}

struct Document {
    taken: SchemaGenerator,
    shown: SchemaGenerator,
    paths: BTreeMap<&'static str, Map<String, Value>>,
    schemas: Map<String, Value>,
}

impl Table for Document {
    fn add<I: Input, O: Output, F>(
        &mut self,
        operation: Operation,
        _: impl Fn(Box<Call>, I) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<Answer<O>, Error>> + Send + 'static,
    {
        let mut responses = failures(operation);
        for status in operation.kind.successes() {
            let mut response = Map::new();
            response.insert("description".to_owned(), success(*status).into());
            if operation.kind != Kind::Delete {
                let schema = O::json_schema(&mut self.shown);
                let content = self.content(operation.kind.media_type(), &O::schema_name(), schema);
                response.insert("content".to_owned(), content);
            }
            if operation.kind == Kind::Export {
                let next = "The next page (RFC 8288), with rel=\"next\"; none at the end.";
                let next = json!({ "description": next, "schema": { "type": "string" } });
                response.insert("headers".to_owned(), json!({ "Link": next }));
            }
            if operation.kind.is_tagged() {
                let tag = json!({ "description": "The state of the object.", "schema": { "type": "string" } });
                response.insert("headers".to_owned(), json!({ "ETag": tag }));
            }
            responses.insert(status.to_string(), response.into());
        }
        let mut described = Map::new();
        described.insert("operationId".to_owned(), operation_id(operation).into());
        described.insert("summary".to_owned(), operation.summary.into());
        described.insert("description".to_owned(), permission(operation).into());
        described.insert("parameters".to_owned(), parameters(operation).into());
        described.insert("responses".to_owned(), responses.into());
        if let Some((name, schema)) = I::schema(&mut self.taken) {
            let body = json!({ "required": I::REQUIRED, "content": self.content("application/json", &name, schema) });
            described.insert("requestBody".to_owned(), body);
        }
        let method = operation.kind.method().as_str().to_ascii_lowercase();
        self.paths.entry(operation.path).or_default().insert(method, described.into());
    }
}

impl Document {
    /// What is of a form, that is kept under its name; under a longer one if another form has it.
    fn content(&mut self, media_type: &str, name: &str, schema: Schema) -> Value {
        let (mut name, schema) = (name.to_owned(), schema.to_value());
        while self.schemas.get(&name).is_some_and(|other| *other != schema) {
            name.push('_');
        }
        self.schemas.insert(name.clone(), schema);
        json!({ media_type: { "schema": { "$ref": format!("#/components/schemas/{name}") } } })
    }
}

/// Which days are asked for.
const DAYS: [(&str, &str); 2] = [
    ("from", "The first day in UTC, as YYYY-MM-DD; with neither from nor until, today."),
    ("until", "The last day; today when left out."),
];

/// What events can be asked for by.
const EVENT_FILTERS: [(&str, &str); 8] = [
    ("kind", "Kinds of events, separated by commas."),
    ("user", "The person whom events are about."),
    ("actor", "Who acted: the id of an administrator's or a directory's token, or of its client."),
    ("connection", "The connection through which somebody came."),
    ("client", "The application."),
    ("session", "The session."),
    ("request", "The id of the request that did it."),
    ("cursor", "The next of the page before."),
];

fn operation_id(operation: Operation) -> String {
    let kind = format!("{:?}", operation.kind).to_ascii_lowercase();
    let names = operation.path.split('/').filter(|part| !part.is_empty() && !part.starts_with('{'));
    names.fold(kind, |id, part| format!("{id}_{}", part.replace(['-', '.'], "_")))
}

fn permission(operation: Operation) -> &'static str {
    match (operation.area, operation.kind.is_change()) {
        (Area::Anyone, _) => "Any administrator's token will do.",
        (Area::Tenant, false) => "Needs the scope deployment or deployment:read, or that of the tenant.",
        (Area::Tenant, true) => "Needs the scope deployment or that of the tenant.",
        (Area::Deployment | Area::DeploymentOfTenant, false) => "Needs the scope deployment or deployment:read.",
        (Area::Deployment | Area::DeploymentOfTenant, true) => "Needs the scope deployment.",
    }
}

fn parameters(operation: Operation) -> Vec<Value> {
    let parameter = |place: &str, name: &str, description: &str, schema: Value| json!({ "in": place, "name": name, "description": description, "required": place == "path", "schema": schema });
    let text = || json!({ "type": "string" });
    let names = operation.path.split(['{', '}']).skip(1).step_by(2);
    let mut all: Vec<_> = names.map(|name| parameter("path", name, &format!("The {name}."), text())).collect();
    match operation.kind {
        Kind::List => {
            let limit = json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 });
            all.push(parameter("query", "limit", "The most items of a page.", limit));
            all.push(parameter("query", "cursor", "The next of the page before.", text()));
        }
        Kind::Days => all.extend(DAYS.map(|(name, description)| parameter("query", name, description, text()))),
        Kind::Events | Kind::Export => {
            let filters = DAYS.iter().chain(&EVENT_FILTERS);
            all.extend(filters.map(|(name, description)| parameter("query", name, description, text())));
            let limit = json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 200 });
            all.push(parameter("query", "limit", "The most events of a page.", limit));
        }
        _ if operation.kind.is_conditional() => {
            let expected = "The states that the object may be in (RFC 9110 §13.1.1).";
            all.push(parameter("header", "If-Match", expected, text()));
            let unexpected = "The states that the object may not be in; * lets a PUT only create (RFC 9110 §13.1.2).";
            all.push(parameter("header", "If-None-Match", unexpected, text()));
        }
        _ => {}
    }
    all
}

const fn success(status: u16) -> &'static str {
    match status {
        201 => "It was not there before.",
        204 => "It is gone.",
        _ => "As it is now.",
    }
}

/// A way in which requests fail.
struct Failure {
    status: u16,
    description: &'static str,
    /// Whether one of this operation can.
    possible: fn(Operation) -> bool,
}

const fn failure(status: u16, description: &'static str, possible: fn(Operation) -> bool) -> Failure {
    Failure { status, description, possible }
}

const FAILURES: [Failure; 8] = [
    failure(400, "Something is wrong with the request.", |_| true),
    failure(401, "No token, or none that is good.", |_| true),
    failure(403, "The token's scopes do not allow it.", |operation| operation.area != Area::Anyone),
    failure(404, "It is not there, or out of the token's sight.", |operation| operation.path.contains('{')),
    failure(409, "Somebody else changed it at the same time; try again.", |operation| operation.kind.is_change()),
    failure(412, "It is in a state that the condition excludes.", |operation| operation.kind.is_conditional()),
    failure(500, "Something broke on our side; the log has the reference.", |_| true),
    failure(503, "Busy, or what had to be asked elsewhere did not answer; try again.", |_| true),
];

fn failures(operation: Operation) -> Map<String, Value> {
    let possible = FAILURES.iter().filter(|failure| (failure.possible)(operation));
    let named = possible.map(|Failure { status, .. }| {
        (status.to_string(), json!({ "$ref": format!("#/components/responses/Failed{status}") }))
    });
    named.collect()
}

fn failed_responses() -> Map<String, Value> {
    let described = FAILURES.iter().map(|Failure { status, description, .. }| {
        let schema = json!({ "schema": { "$ref": "#/components/schemas/Error" } });
        let response = json!({ "description": description, "content": { "application/json": schema } });
        (format!("Failed{status}"), response)
    });
    described.collect()
}

fn error_schema() -> Value {
    let problem = json!({
        "type": "object",
        "required": ["path", "problem"],
        "properties": {
            "path": { "type": "string", "description": "Where in the body, as a JSON pointer (RFC 6901)." },
            "problem": { "type": "string", "description": "What to mend." },
        },
    });
    json!({
        "type": "object",
        "required": ["error", "error_description", "reference"],
        "properties": {
            "error": { "type": "string", "description": "What kind of error it is, for programs." },
            "error_description": { "type": "string", "description": "What to mend, in words." },
            "reference": { "type": "string", "description": "Under what the log knows it." },
            "problems": {
                "type": "array",
                "description": "Everything that is wrong with the body, where it is the body.",
                "items": problem,
            },
        },
    })
}
