//! The demo application and the demo's identity provider, each on a port, without a broker between them: the fake
//! provider is one itself, as far as the application can tell.

use std::sync::Arc;

use tokio::net::TcpListener;
use vestibule_testkit::demo::{self, Demo};
use vestibule_testkit::{Account, ClientAuth, FakeOidcIdp, Lie, Registration, idp};
use vestibule_tests::Browser;
use vestibule_tests::platform::{clock, crypto, outbound, random};

const ALICE: [(&str, &str); 2] = [("username", "alice@demo.example"), ("password", "alice-demo")];

struct Running {
    demo: Demo,
    provider: Arc<FakeOidcIdp>,
}

/// The application at `localhost`, its "broker" at `127.0.0.1`: two sites.
async fn start() -> Running {
    let at = async || TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
    let (broker_port, app_port) = (at().await, at().await);
    let demo = Demo {
        broker: format!("http://127.0.0.1:{}", port(&broker_port)),
        idp: "http://localhost:1".to_owned(),
        app: format!("http://localhost:{}", port(&app_port)),
        idp_secret: "idp-secret".to_owned(),
        app_secret: "app-secret".to_owned(),
    };
    let provider = FakeOidcIdp::new(&demo.broker, crypto(), clock(), random()).await.expect("a key");
    provider.register(Registration {
        client_id: demo::CLIENT.to_owned(),
        client_secret: demo.app_secret.clone(),
        client_auth: ClientAuth::Basic,
        redirect_uris: vec![format!("{}/callback", demo.app)],
        post_logout_redirect_uris: vec![format!("{}/", demo.app)],
    });
    provider.add_account(Account::new("alice@demo.example", "alice-demo", "a-1", "Alice <Arden>"));
    let provider = Arc::new(provider);
    let (server, app) = (idp::router(provider.clone()), demo::app(&demo, outbound(), clock(), random()));
    tokio::spawn(async move { axum::serve(broker_port, server).await });
    tokio::spawn(async move { axum::serve(app_port, app).await });
    Running { demo, provider }
}

#[tokio::test]
async fn somebody_signs_in_and_out() {
    let Running { demo, .. } = start().await;
    let mut browser = Browser::new();
    let home = browser.visit(&demo.app).await;
    assert!(home.page().body.contains("You are signed out"), "{}", home.page().body);
    home.page().assert_page();
    let login = browser.visit(&format!("{}/sign-in", demo.app)).await;
    login.page().assert_page();
    let home = browser.submit(login.page(), &ALICE).await;
    let page = home.page().clone();
    page.assert_page();
    for text in ["Hello, Alice &lt;Arden&gt;", "alice@demo.example", "5 minutes, until", "auth_time"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert!(!page.body.contains("<Arden>"));
    let renewed = browser.submit(&page, &[]).await;
    assert!(renewed.page().body.contains("There is no refresh token"), "{}", renewed.page().body);
    let mut goodbye = page.clone();
    goodbye.body = goodbye.body.replacen("<form", "<div", 1);
    let left = browser.submit(&goodbye, &[]).await;
    assert!(left.page().body.contains("You are signed out"), "{}", left.page().body);
    assert!(left.hops.iter().any(|hop| hop.url.path() == "/logout"), "it went through the broker");
    let login = browser.visit(&format!("{}/sign-in", demo.app)).await;
    assert!(login.page().body.contains("Password"), "the provider has forgotten too: {}", login.page().body);
}

#[tokio::test]
async fn the_application_believes_nobody_else() {
    let Running { demo, provider } = start().await;
    for lie in [Lie::WrongNonce, Lie::OtherKey, Lie::CallbackOtherIssuer, Lie::TokenEndpointFails, Lie::AccessDenied] {
        provider.lie(lie);
        let mut browser = Browser::new();
        let mut visit = browser.visit(&format!("{}/sign-in", demo.app)).await;
        if visit.last().url.as_str().starts_with(&demo.broker) {
            visit = browser.submit(visit.page(), &ALICE).await;
        }
        assert_eq!(visit.page().status, 400, "{lie:?}");
        visit.page().assert_page();
        provider.be_honest();
        let home = browser.visit(&demo.app).await;
        assert!(home.page().body.contains("You are signed out"), "{lie:?}");
    }
    let login = Browser::new().visit(&format!("{}/sign-in", demo.app)).await;
    let elsewhere = Browser::new().submit(login.page(), &ALICE).await;
    assert!(elsewhere.page().body.contains("This browser has not started to sign in."), "{}", elsewhere.page().body);
}

#[test]
fn the_deployment_names_what_the_parties_are_built_with() {
    let demo = Demo {
        broker: "http://localhost:8787".to_owned(),
        idp: "http://localhost:8788".to_owned(),
        app: "http://localhost:8789".to_owned(),
        idp_secret: "idp-secret".to_owned(),
        app_secret: "app-secret".to_owned(),
    };
    let deployment = demo::deployment(&demo);
    for line in [
        r#"issuer = "http://localhost:8788""#,
        r#"redirect_uris = ["http://localhost:8789/callback"]"#,
        r#"client_secret = { env = "DEMO_IDP_SECRET" }"#,
        r#"client_secret = { env = "DEMO_APP_SECRET" }"#,
    ] {
        assert!(deployment.lines().any(|have| have == line), "{line} is not in {deployment}");
    }
    assert!(!deployment.contains("idp-secret") && !deployment.contains("app-secret"), "{deployment}");
    assert_eq!(demo::secret(&demo, "DEMO_IDP_SECRET").as_deref(), Some("idp-secret"));
    assert_eq!(demo::secret(&demo, "DEMO_APP_SECRET").as_deref(), Some("app-secret"));
    assert_eq!(demo::secret(&demo, "PATH"), None);
}
