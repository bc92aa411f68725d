//! What the function behind the gateway tells a collector, before each answer: Lambda lets it do nothing afterwards. The
//! test is Lambda, the unchanged binary runs.
#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use vestibule_testkit::collector::Collector;

const SECRET: &str = "what-nobody-may-see";

/// The runtime interface (2018-06-01) of one instance: events go in, answers come out.
struct Interface {
    events: Mutex<mpsc::Receiver<Value>>,
    answers: mpsc::Sender<Value>,
}

async fn next(State(interface): State<Arc<Interface>>) -> Response {
    let Some(event) = interface.events.lock().await.recv().await else { return std::future::pending().await };
    let reply = Response::builder()
        .header("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000001")
        .header("lambda-runtime-deadline-ms", "32503680000000")
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:vestibule")
        .header("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0");
    reply.body(event.to_string().into()).expect("a response")
}

async fn answer(State(interface): State<Arc<Interface>>, body: String) -> StatusCode {
    let answer = serde_json::from_str(&body).expect("an answer is JSON");
    interface.answers.send(answer).await.expect("somebody waits");
    StatusCode::ACCEPTED
}

/// The function, and where its events go and its answers come from.
struct Function {
    process: Child,
    events: mpsc::Sender<Value>,
    answers: mpsc::Receiver<Value>,
}

impl Function {
    async fn start(collector: &Collector) -> Self {
        let (events, coming) = mpsc::channel(1);
        let (given, answers) = mpsc::channel(1);
        let interface = Arc::new(Interface { events: Mutex::new(coming), answers: given });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .with_state(interface);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let api = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let process = Command::new(env!("CARGO_BIN_EXE_vestibule-http"))
            .env("AWS_LAMBDA_RUNTIME_API", api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "vestibule-http")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_REGION", "us-east-1")
            .env("VESTIBULE_ISSUER", "https://sso.example")
            .env("VESTIBULE_SEALING_KEYS", "k1:b25seS1mb3ItbG9jYWwtcnVucy1ub3QtYS1zZWNyZXQ")
            .env("VESTIBULE_ADMIN_TOKEN", "the-token-of-a-broker-for-one-test-only")
            .env("VESTIBULE_QUEUE_URL", "http://127.0.0.1:9/000000000000/tasks")
            .env("VESTIBULE_OTLP_ENDPOINT", &collector.endpoint)
            .stderr(Stdio::null())
            .spawn()
            .expect("the function starts");
        Self { process, events, answers }
    }

    /// The id of a request by way of an HTTP API (payload version 2.0), once it is answered.
    async fn get(&mut self, path: &str) -> String {
        let query = format!("code={SECRET}");
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "isBase64Encoded": false,
            "headers": { "host": "sso.example", "x-request-id": SECRET, "user-agent": SECRET },
            "requestContext": {
                "accountId": "000000000000", "apiId": "api", "domainName": "sso.example", "domainPrefix": "sso",
                "http": {
                    "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9",
                    "userAgent": SECRET,
                },
                "requestId": "request", "routeKey": "$default", "stage": "$default",
                "time": "22/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_305_600_000_i64,
            },
        });
        self.events.send(event).await.expect("it takes events");
        let answered = tokio::time::timeout(Duration::from_secs(20), self.answers.recv()).await;
        let answer = answered.expect("soon").expect("an answer");
        let id = answer.pointer("/headers/x-request-id").and_then(Value::as_str);
        id.expect("an id").to_owned()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// When an answer is there, its span and its measurement have been sent, once.
#[tokio::test]
async fn what_is_measured_is_sent_before_the_answer() {
    let collector = Collector::start().await.expect("a collector");
    let mut function = Function::start(&collector).await;
    for (path, route, status) in [
        ("/healthz", Some("/healthz"), "200"),
        ("/oauth2/userinfo", Some("/oauth2/userinfo"), "401"),
        ("/what-nobody-may-see", None, "404"),
    ] {
        let id = function.get(path).await;
        let of_request =
            collector.spans().into_iter().find(|span| span.attributes.get("vestibule.request_id") == Some(&id));
        let span = of_request.expect("its span is there");
        let told = |name: &str| span.attributes.get(name).map(String::as_str);
        assert_eq!((told("http.route"), told("http.response.status_code")), (route, Some(status)));
        let of_route = collector.metrics().into_iter().filter(|found| {
            found.name == "http.server.request.duration"
                && found.attributes.get("http.route").map(String::as_str) == route
        });
        assert_eq!(of_route.map(|found| found.number).sum::<u64>(), 1, "{path}");
    }
    assert!(!collector.knows(SECRET));
    assert_eq!(collector.unreadable(), 0);
}
