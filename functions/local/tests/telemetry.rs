//! What the native binary tells a collector and its log: of each request its route, status and id, of the tick's work
//! how much it was, and nothing of what a request holds.
#![expect(clippy::disallowed_methods, reason = "waits for a process, by the system's clock")]
#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use vestibule_testkit::collector::{Collector, Measured, Spanned};

const TOKEN: &str = "the-token-of-a-broker-for-one-test-only";
const SECRET: &str = "what-nobody-may-see";

struct Broker {
    process: Child,
    folder: PathBuf,
    url: String,
}

impl Broker {
    /// Starts on what `folder` holds.
    fn start(folder: PathBuf, collector: Option<&Collector>) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
        let log = std::fs::File::create(folder.join("log")).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command
            .args(["--no-demo", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(folder.join("data"))
            .env("VESTIBULE_ADMIN_TOKEN", TOKEN)
            .env("VESTIBULE_LOG_FORMAT", "json")
            .env("OTEL_METRIC_EXPORT_INTERVAL", "200")
            .env("OTEL_BSP_SCHEDULE_DELAY", "200");
        if let Some(collector) = collector {
            command.env("VESTIBULE_OTLP_ENDPOINT", &collector.endpoint);
        }
        let process = command.stdout(Stdio::null()).stderr(log).spawn().expect("the broker starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the broker does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, folder, url: format!("http://127.0.0.1:{port}") }
    }

    /// The request's id.
    async fn send(&self, method: &str, path: &str, body: &str) -> String {
        let method = method.parse::<reqwest::Method>().expect("a method");
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let request = client.request(method, format!("{}{path}", self.url)).bearer_auth(TOKEN);
        let request = request
            .header("x-request-id", SECRET)
            .header("traceparent", "00-11111111111111111111111111111111-1111111111111111-01");
        let reply = request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned()).send();
        let reply = reply.await.expect("an answer");
        reply.headers()["x-request-id"].to_str().expect("text").to_owned()
    }

    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join("log")).expect("a log");
        text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("telemetry-{name}"));
    drop(std::fs::remove_dir_all(&folder));
    folder
}

async fn soon<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not soon: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn span_of(collector: &Collector, id: &str) -> Option<Spanned> {
    collector.spans().into_iter().find(|span| span.attributes.get("vestibule.request_id").is_some_and(|it| it == id))
}

/// A request is a span and a measurement: of its route, not of its path or query, and under an id of ours.
#[tokio::test]
async fn a_request_is_told_by_its_route() {
    let collector = Collector::start().await.expect("a collector");
    let broker = Broker::start(folder("request"), Some(&collector));
    let form = format!("grant_type=authorization_code&code={SECRET}&client_id={SECRET}");
    let requests = [
        ("GET", format!("/admin/v1/tenants/{SECRET}?limit={SECRET}"), "", Some("/admin/v1/tenants/{tenant}"), "404"),
        ("POST", "/oauth2/token".to_owned(), form.as_str(), Some("/oauth2/token"), "401"),
        ("GET", format!("/{SECRET}"), "", None, "404"),
        (SECRET, "/healthz".to_owned(), "", Some("/healthz"), "405"),
    ];
    for (method, path, body, route, status) in requests {
        let id = broker.send(method, &path, body).await;
        let span = soon("a span", || span_of(&collector, &id)).await;
        let told = |name: &str| span.attributes.get(name).map(String::as_str);
        assert_eq!((told("http.route"), told("http.response.status_code")), (route, Some(status)), "{span:?}");
        let known = if method == SECRET { "_OTHER" } else { method };
        assert_eq!(told("http.request.method"), Some(known));
        assert_eq!((span.attributes.len(), span.failed, span.others), (3 + usize::from(route.is_some()), false, 0));
        let is_of_route = |found: &Measured| found.attributes.get("http.route").map(String::as_str) == route;
        let is_it = |found: &Measured| found.name == "http.server.request.duration" && is_of_route(found);
        soon("a measurement", || collector.metrics().into_iter().find(is_it)).await;
    }
    assert!(!collector.knows(SECRET), "neither a path nor a query, a header, a body or a method of one's own");
    assert_eq!(collector.unreadable(), 0);
}

/// The tick's work is counted.
#[tokio::test]
async fn work_is_counted() {
    let collector = Collector::start().await.expect("a collector");
    let folder = folder("work");
    let broker = Broker::start(folder.clone(), None);
    for number in 0..6 {
        let body = serde_json::json!({ "name": "A tenant" }).to_string();
        broker.send("PUT", &format!("/admin/v1/tenants/t{number}"), &body).await;
    }
    drop(broker);
    // The first tick comes at once; of sixty partitions, some are in its slot.
    let _broker = Broker::start(folder, Some(&collector));
    for (name, outcome) in
        [("vestibule.ticks", "done"), ("vestibule.tick.tasks", "sent"), ("vestibule.work.tasks", "done")]
    {
        let is_it = |found: &Measured| {
            found.name == name && found.number > 0 && found.attributes.get("outcome").is_some_and(|it| it == outcome)
        };
        soon(name, || collector.metrics().into_iter().find(is_it)).await;
    }
}

/// Each line that a request writes has its id, which is ours whatever the request says, and nothing that it holds.
#[tokio::test]
async fn a_line_names_its_request() {
    let broker = Broker::start(folder("log"), None);
    let form = format!("grant_type=authorization_code&code={SECRET}&client_id={SECRET}&redirect_uri={SECRET}");
    let id = broker.send("POST", &format!("/oauth2/token?code={SECRET}"), &form).await;
    let of_request = |line: &Value| line["request_id"] == *id;
    let line = soon("a line", || broker.log().into_iter().find(of_request)).await;
    assert_eq!((&line["message"], &line["level"]), (&"oauth.refused".into(), &"INFO".into()));
    assert_eq!(line["reference"], line["request_id"], "an error names the request that it is of");
    let text = std::fs::read_to_string(broker.folder.join("log")).expect("a log");
    assert!(!text.contains(SECRET), "{text}");
}

/// A collector that is not there is told to the log, and no request waits for it.
#[tokio::test]
async fn no_collector_is_no_outage() {
    let mut collector = Collector::start().await.expect("a collector");
    collector.endpoint = "http://127.0.0.1:9".to_owned();
    let broker = Broker::start(folder("absent"), Some(&collector));
    let begun = Instant::now();
    for _ in 0..20 {
        broker.send("GET", "/healthz", "").await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
}
