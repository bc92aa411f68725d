use std::path::Path;

use serde_json::json;

use super::*;

fn read(text: &str) -> Result<File, String> {
    let variable = |name: &str| (name == "SET").then(|| "from-the-environment".to_owned());
    File::read(text, &Secrets::new(&variable, Path::new("")))
}

fn problems(text: &str) -> Vec<String> {
    read(text).expect("TOML").problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_tenant_comes_before_what_is_its_own_and_applications_last() {
    let file = read(
        r#"
        [clients.app]
        name = "App"
        [tenants.b]
        name = "B"
        [tenants.a]
        name = "A"
        hosts = ["login.a.example"]
        [tenants.a.domains."a.example"]
        override_reason = "by contract"
        [tenants.a.connections.main]
        protocol = "oidc"
        sign_in = { domains = ["a.example"] }
        "#,
    )
    .expect("TOML");
    assert_eq!(file.problems, []);
    let names: Vec<_> = file.objects.iter().map(|object| object.name.as_str()).collect();
    let expected =
        ["tenant a", "connection a/main", "domain a/a.example", "host a/login.a.example", "tenant b", "client app"];
    assert_eq!(names, expected);
    let [tenant, connection, domain, host, ..] = file.objects.as_slice() else { panic!("too few") };
    assert_eq!(Value::Object(tenant.body.clone()), json!({"name": "A"}), "what is its own is no part of it");
    assert_eq!(connection.path, ["tenants", "a", "connections", "main"]);
    assert_eq!(connection.body["sign_in"], json!({"domains": ["a.example"]}));
    assert_eq!((domain.override_reason.as_deref(), domain.body.len()), (Some("by contract"), 0));
    assert_eq!(host.path, ["tenants", "a", "hosts", "login.a.example"]);
    assert_eq!(host.place.to_string(), "tenants.a.hosts[0]");
}

#[test]
fn secrets_are_fetched_wherever_they_stand() {
    let file = read(
        r#"
        [clients.app]
        client_secret = { env = "SET" }
        numbers = [1, -2, 1.5, true]
        [[clients.app.hooks]]
        secret = { env = "SET" }
        "#,
    )
    .expect("TOML");
    assert_eq!(file.problems, []);
    let object = &file.objects[0];
    assert_eq!(object.secrets, ["client_secret", "hooks.secret"]);
    assert_eq!(object.body["client_secret"], "from-the-environment");
    assert_eq!(object.body["hooks"], json!([{"secret": "from-the-environment"}]));
    assert_eq!(object.body["numbers"], json!([1, -2, 1.5, true]));
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    let found = problems(
        r#"
        tenant = {}
        clients = 1
        [tenants.Upper]
        [tenants.a]
        hosts = "a.example"
        [tenants.a.connections.one]
        client_secret = { env = "NOT_SET" }
        since = 2026-01-01
        [tenants.a.connections.two]
        client_secret = { env = "NEITHER_SET" }
        connections.x = 1
        [tenants.b]
        hosts = [1]
        connections.c = 1
        domains.d = { override_reason = 1 }
        "#,
    );
    for expected in [
        "tenant: is neither tenants nor clients",
        "clients: must be a table",
        "tenants.Upper: an id must be 1 to 40 of a-z, 0-9 and -",
        "tenants.a.hosts: must be an array of names",
        "tenants.a.connections.one.client_secret: the environment has no NOT_SET",
        "tenants.a.connections.one.since: is a date; nothing here is one",
        "tenants.a.connections.two.client_secret: the environment has no NEITHER_SET",
        "tenants.b.hosts[0]: must be a name",
        "tenants.b.connections.c: must be a table",
        "tenants.b.domains.d.override_reason: must be a text",
    ] {
        assert!(found.iter().any(|problem| problem == expected), "{expected} is not among {found:#?}");
    }
    assert_eq!(found.len(), 10, "{found:#?}");
}

#[test]
fn what_is_not_toml_is_told_by_its_line_and_not_repeated() {
    let error = read("[tenants.a]\nname = \"A\"\nclient_secret = \"hunter2\n").err().expect("refused");
    assert!(error.starts_with("line 3: ") && !error.contains("hunter2"), "{error}");
    let error = read("[tenants.a]\nname = 1\nname = 2\n").err().expect("refused");
    assert!(error.starts_with("line 3: ") && error.contains("duplicate"), "{error}");
    assert!(read("{\"tenants\": {}}").is_err(), "JSON is no TOML");
}
