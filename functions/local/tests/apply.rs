//! `vestibule apply` as a person uses it: the program, a deployment file, a broker that is running, and what is printed.
#![expect(clippy::disallowed_methods, reason = "waits for a process to be ready, by the system's clock")]
#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const TOKEN: &str = "the-token-of-a-broker-for-one-test-only";
const SECRETS: [(&str, &str); 2] =
    [("OKTA_SECRET", "okta-secret-nobody-may-see"), ("CRM_SECRET", "crm-secret-that-nobody-may-see-0123456789")];

/// A broker with a data directory of its own, and files for it.
struct Broker {
    process: Child,
    folder: PathBuf,
    url: String,
}

impl Broker {
    fn start(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("apply-{name}"));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let process = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["--no-demo", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(folder.join("data"))
            .env("VESTIBULE_ADMIN_TOKEN", TOKEN)
            // No record of anybody's is looked up.
            .env("VESTIBULE_DOH_URL", "https://dns.invalid/resolve")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the broker starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the broker does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, folder, url: format!("http://localhost:{port}") }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Another administrator's token.
    async fn token(&self, scope: &str) -> String {
        let body = format!("{{\"name\": \"Another\", \"scopes\": [\"{scope}\"]}}");
        let request = reqwest::Client::new().post(format!("{}/admin/v1/tokens", self.url)).bearer_auth(TOKEN);
        let reply = request.header("content-type", "application/json").body(body).send().await.expect("an answer");
        let made: serde_json::Value = serde_json::from_str(&reply.text().await.expect("a body")).expect("JSON");
        made.get("token").and_then(|token| token.as_str()).expect("a token").to_owned()
    }

    fn apply(&self, file: &Path, options: &[&str], secrets: &[(&str, &str)]) -> Told {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.arg("apply").arg(file).args(["--url", &self.url]).args(options);
        command.env("VESTIBULE_ADMIN_TOKEN", TOKEN).envs(secrets.iter().copied());
        Told::of(&command.output().expect("it runs"))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// What a person sees.
struct Told {
    status: Option<i32>,
    text: String,
}

impl Told {
    fn of(output: &Output) -> Self {
        let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
        for (_, secret) in SECRETS {
            assert!(!text.contains(secret), "a secret is printed: {text}");
        }
        Self { status: output.status.code(), text }
    }

    #[track_caller]
    fn is(&self, status: i32, lines: &[&str]) {
        assert_eq!(self.status, Some(status), "{}", self.text);
        for line in lines {
            assert!(self.text.lines().any(|told| told.trim() == *line), "no line {line:?} in:\n{}", self.text);
        }
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/deployment.toml")
}

#[test]
fn the_example_applies_once_and_then_changes_nothing() {
    let broker = Broker::start("example");
    let would = "10 would be created, 0 would be changed, 0 unchanged; what is not in the file is left alone";
    broker.apply(&example(), &["--dry-run"], &SECRETS).is(3, &["created    connection acme/okta", would]);
    broker.apply(&example(), &["--dry-run"], &SECRETS).is(3, &[would]);
    let first = broker.apply(&example(), &[], &SECRETS);
    first.is(0, &["created    tenant acme", "created    host acme/login.acme.example", "created    client console"]);
    first.is(0, &["domain acme/acme.example is not verified: publish the TXT record"]);
    first.is(0, &["10 created, 0 changed, 0 unchanged; what is not in the file is left alone"]);
    let same = "0 created, 0 changed, 10 unchanged; what is not in the file is left alone";
    let secret = "client_secret: sent; it cannot be read back and compared";
    broker.apply(&example(), &[], &SECRETS).is(0, &[same, "unchanged  client crm", secret]);
    let would = "0 would be created, 0 would be changed, 10 unchanged; what is not in the file is left alone";
    broker.apply(&example(), &["--dry-run"], &SECRETS).is(0, &[would]);
}

#[test]
fn the_readmes_file_is_one() {
    let broker = Broker::start("readme");
    let readme = include_str!("../../../README.md");
    let quoted = readme.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("a file is quoted");
    let path = broker.write("deployment.toml", quoted);
    let secrets = [("OKTA_SECRET", "shown by Okta"), ("MY_APP_SECRET", "at least 32 random characters of one's own")];
    broker.apply(&path, &[], &secrets).is(0, &["created    connection acme/okta", "created    client my-app"]);
}

#[test]
fn each_changed_field_is_told_and_the_rest_is_left_alone() {
    let broker = Broker::start("changes");
    let before = "[tenants.a]\nname = 'A'\ncolour = '#1F4FBF'\nsession_shards = 2\n\
        [tenants.a.domains.'A.Example']\n\
        [clients.app]\nname = 'App'\nredirect_uris = ['https://a.example/cb']\nclient_auth = 'client_secret_post'\n\
        client_secret = { file = 'secret' }\n[clients.other]\nname = 'Other'\n\
        redirect_uris = ['https://o.example/cb']\nclient_auth = 'none'\n";
    let path = broker.write("before.toml", before);
    broker.write("secret", "0123456789abcdef0123456789abcdef\n");
    broker.apply(&path, &[], &[]).is(0, &["4 created, 0 changed, 0 unchanged; what is not in the file is left alone"]);
    // Without the secret, the number of shards and the other client: all of them stay as they are.
    let after = "[tenants.a]\nname = 'B'\n\
        [tenants.a.domains.'a.example']\noverride_reason = 'Ours'\n\
        [clients.app]\nname = 'App'\nredirect_uris = ['https://a.example/cb', 'https://a.example/2']\n\
        client_auth = 'client_secret_post'\naccess_token_life = 900\n";
    let path = broker.write("after.toml", after);
    let changes = [
        "changed    tenant a",
        "name: \"A\" -> \"B\"",
        "colour: \"#1f4fbf\" -> null",
        "changed    domain a/a.example",
        "verified: false -> true",
        "changed    client app",
        "access_token_life: 86400 -> 900",
        "redirect_uris: [\"https://a.example/cb\"] -> [\"https://a.example/cb\",\"https://a.example/2\"]",
    ];
    let dry = broker.apply(&path, &["--dry-run"], &[]);
    dry.is(3, &changes);
    dry.is(3, &["0 would be created, 3 would be changed, 0 unchanged; what is not in the file is left alone"]);
    broker.apply(&path, &[], &[]).is(0, &changes);
    broker.apply(&path, &["--dry-run"], &[]).is(0, &[]);
    let path = broker.write("before.toml", &before.replace("'A'", "'B'"));
    broker.apply(&path, &["--dry-run"], &[]).is(3, &["unchanged  client other"]);
}

#[test]
fn whatever_is_wrong_is_told_before_anything_is_written() {
    let broker = Broker::start("wrong");
    let path = broker.write(
        "wrong.toml",
        "[tenants.fine]\nname = 'Fine'\n\
        [tenants.a]\nname = ''\n\
        [tenants.a.connections.c]\nname = 'C'\nprotocol = 'oidc'\nissuer = 'http://idp.example'\nclient_id = 'b'\n\
        client_auth = 'client_secret_basic'\nclient_secret = { env = 'NOT_SET' }\n\
        [clients.app]\nname = 'App'\nredirect_uris = ['https://a.example/#x']\nclient_auth = 'none'\n\
        [clients.typo]\nname = 'T'\nredirect_uri = 'https://a.example/'\nclient_auth = 'none'\n\
        client_secret = { file = 'no-such-file' }\n",
    );
    for options in [&[][..], &["--dry-run"]] {
        let told = broker.apply(&path, options, &[]);
        assert_eq!(told.status, Some(1), "{}", told.text);
        for words in [
            "tenants.a.connections.c.client_secret: the environment has no NOT_SET",
            "clients.typo.client_secret: no-such-file cannot be read",
            "tenants.a.name: must have 1 to 100 characters",
            "tenants.a.connections.c.issuer: must be https",
            "clients.app.redirect_uris[0]: has a fragment",
            "clients.typo.redirect_uri: is not a field that exists here",
            "clients.typo.redirect_uris: is missing",
            "problems to mend; nothing was written",
        ] {
            assert!(told.text.contains(words), "{words} is not in:\n{}", told.text);
        }
    }
    let fine = broker.write("fine.toml", "[tenants.fine]\nname = 'Fine'\n");
    broker.apply(&fine, &["--dry-run"], &[]).is(3, &["created    tenant fine"]);
}

#[test]
fn what_cannot_be_replaced_is_told_before_anything_is_written() {
    let broker = Broker::start("fixed");
    let path = broker.write("one.toml", "[tenants.a]\nname = 'A'\nsession_shards = 2\n");
    broker.apply(&path, &[], &[]).is(0, &[]);
    let path = broker.write("other.toml", "[tenants.a]\nname = 'B'\nsession_shards = 3\n[tenants.b]\nname = 'B'\n");
    let told = broker.apply(&path, &[], &[]);
    assert!(told.text.contains("session_shards: cannot be changed"), "{}", told.text);
    told.is(1, &["vestibule: 1 problem to mend; nothing was written"]);
}

/// A token for reading shows what would change; one of a tenant applies the tenant's part.
#[tokio::test]
async fn a_token_with_less_does_less() {
    let broker = Broker::start("scopes");
    let tenant = broker.write("tenant.toml", "[tenants.a]\nname = 'A'\n");
    let connection = "[tenants.a.connections.c]\nname = 'C'\nprotocol = 'oidc'\nissuer = 'https://idp.example'\n\
        client_id = 'b'\nclient_auth = 'none'\n";
    let both = broker.write("both.toml", &format!("[tenants.a]\nname = 'A'\n{connection}"));
    let client = "[clients.app]\nname = 'App'\nredirect_uris = ['https://a.example/cb']\nclient_auth = 'none'\n";
    let client = broker.write("client.toml", client);
    broker.apply(&tenant, &[], &[]).is(0, &[]);
    let (reading, own) = (broker.token("deployment:read").await, broker.token("tenant:a").await);
    let reading = [("VESTIBULE_ADMIN_TOKEN", reading.as_str())];
    broker.apply(&both, &["--dry-run"], &reading).is(3, &["created    connection a/c"]);
    let refused = broker.apply(&both, &[], &reading);
    refused.is(1, &["tenants.a.connections.c: this token is for reading only"]);
    let own = [("VESTIBULE_ADMIN_TOKEN", own.as_str())];
    broker.apply(&both, &[], &own).is(0, &["created    connection a/c", "unchanged  tenant a"]);
    let refused = broker.apply(&client, &[], &own);
    refused.is(1, &["vestibule: clients/app cannot be read: this needs a token with the scope deployment"]);
}

#[test]
fn what_is_no_file_or_no_broker_is_said() {
    let broker = Broker::start("none");
    let path = broker.write("json.toml", "{\"tenants\": {}}");
    assert!(broker.apply(&path, &[], &[]).text.contains("json.toml is not TOML: line 1"));
    let path = broker.write("fine.toml", "[tenants.a]\nname = 'A'\n");
    let told = broker.apply(&path, &["--data-dir", "not/there"], &[("VESTIBULE_ADMIN_TOKEN", "another")]);
    told.is(1, &[&format!("vestibule: {} does not accept the admin token", broker.url)]);
    assert!(broker.apply(Path::new("no-such.toml"), &[], &[]).text.contains("no-such.toml cannot be read"));
}

/// The keys that the broker makes for such a connection are no difference to the file.
#[test]
fn a_connection_that_speaks_saml_applies_once() {
    let broker = Broker::start("saml");
    let file = |saml: &str| {
        format!(
            "[tenants.a]\nname = 'A'\n[tenants.a.connections.c]\nname = 'C'\nprotocol = 'saml'\n\
             unique_id_claim = 'http://schemas.microsoft.com/identity/claims/objectidentifier'\n\
             [tenants.a.connections.c.saml]\nmetadata_url = 'https://idp.example/metadata'\n{saml}\n"
        )
    };
    let wrong = broker.write("wrong.toml", &file("sign_requests = 'yes'\nmetadata = '''<md/>'''"));
    let told = broker.apply(&wrong, &[], &[]);
    told.is(1, &["tenants.a.connections.c.saml.sign_requests: must be true or false"]);
    let path = broker.write("saml.toml", &file("idp_entity_id = 'urn:idp'"));
    broker.apply(&path, &[], &[]).is(0, &["created    connection a/c"]);
    broker.apply(&path, &[], &[]).is(0, &["unchanged  connection a/c"]);
    let path = broker.write("changed.toml", &file("idp_entity_id = 'urn:idp'\nsign_requests = true"));
    broker.apply(&path, &[], &[]).is(0, &["changed    connection a/c", "saml.sign_requests: false -> true"]);
}
