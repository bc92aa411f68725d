//! A browser: a cookie jar and redirects followed one by one, each of which a test can look at. No scripts.

use http::Method;
use url::Url;

use crate::cookie::Cookie;
use crate::form::Form;
use crate::reply::Reply;

/// One person's browser.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    jar: Vec<Cookie>,
}

/// What navigation led to.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Every response, the redirects included.
    pub hops: Vec<Reply>,
    /// The address on a host that ends in `.example`, where the test itself is the server, if it led there.
    pub left_to: Option<Url>,
}

impl Visit {
    /// The last response.
    pub fn last(&self) -> &Reply {
        self.hops.last().expect("there is a response")
    }

    /// The address at the application that it led to.
    pub fn arrived(&self) -> &Url {
        let last = self.last();
        self.left_to.as_ref().unwrap_or_else(|| panic!("it ended with {} {}: {}", last.status, last.url, last.body))
    }

    /// The page that it ended on.
    pub fn page(&self) -> &Reply {
        assert_eq!(self.left_to, None, "it ended on a page");
        self.last()
    }
}

struct Step {
    method: Method,
    url: Url,
    form: Vec<(String, String)>,
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// A browser without history.
    pub fn new() -> Self {
        Self { http: crate::platform::http_client(), jar: Vec::new() }
    }

    /// Types an address and follows where it leads.
    pub async fn visit(&mut self, url: &str) -> Visit {
        let url = Url::parse(url).expect("an address");
        self.navigate(Step { method: Method::GET, url, form: Vec::new() }, None).await
    }

    /// Types an address and looks at the first response only.
    pub async fn get(&mut self, url: &str) -> Reply {
        let url = Url::parse(url).expect("an address");
        self.load(&Step { method: Method::GET, url, form: Vec::new() }, true).await
    }

    /// Sends the first form of a page, with these fields filled in.
    pub async fn submit(&mut self, page: &Reply, fields: &[(&str, &str)]) -> Visit {
        let form = Form::all(&page.body).into_iter().next();
        let form = form.unwrap_or_else(|| panic!("{} {} has no form: {}", page.status, page.url, page.body));
        let form = fields.iter().fold(form, |form, (name, value)| form.fill(name, value));
        let mut url = page.url.join(&form.action).expect("the form has an address");
        let method = if form.post { Method::POST } else { Method::GET };
        if !form.post {
            url.query_pairs_mut().clear().extend_pairs(&form.fields);
        }
        self.navigate(Step { method, url, form: form.fields }, Some(&page.url)).await
    }

    /// The cookies for this address, as the `Cookie` header of a navigation by hand has them.
    pub fn cookies(&self, url: &str) -> Vec<&Cookie> {
        let url = Url::parse(url).expect("an address");
        self.jar.iter().filter(|cookie| cookie.goes_to(&url, true, true)).collect()
    }

    /// The jar, for tests that tamper with it.
    pub const fn jar(&mut self) -> &mut Vec<Cookie> {
        &mut self.jar
    }

    async fn navigate(&mut self, mut step: Step, from: Option<&Url>) -> Visit {
        let mut hops = Vec::new();
        let mut same_site = from.is_none_or(|from| from.host_str() == step.url.host_str());
        while hops.len() < 20 {
            if step.url.host_str().is_some_and(|host| host.ends_with(".example")) {
                return Visit { hops, left_to: Some(step.url) };
            }
            let reply = self.load(&step, same_site).await;
            let next = reply.location();
            let keeps_method = matches!(reply.status.as_u16(), 307 | 308);
            hops.push(reply);
            let Some(next) = next else { return Visit { hops, left_to: None } };
            same_site &= next.host_str() == step.url.host_str();
            step = if keeps_method {
                Step { url: next, ..step }
            } else {
                Step { method: Method::GET, url: next, form: Vec::new() }
            };
        }
        panic!("redirects without end: {:?}", hops.iter().map(|hop| hop.url.as_str()).collect::<Vec<_>>());
    }

    async fn load(&mut self, step: &Step, same_site: bool) -> Reply {
        let get = step.method == Method::GET;
        let sent = self.jar.iter().filter(|cookie| cookie.goes_to(&step.url, same_site, get));
        let header = sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ");
        let mut request = self.http.request(step.method.clone(), step.url.clone());
        if !header.is_empty() {
            request = request.header("cookie", header);
        }
        if !get {
            request = request.form(&step.form);
        }
        let reply = Reply::of(request).await;
        for header in reply.set_cookies() {
            let cookie = Cookie::parse(&reply.url, header)
                .unwrap_or_else(|why| panic!("{} set a cookie that browsers refuse: {why}: {header}", reply.url));
            let replaces =
                |old: &Cookie| (&old.host, &old.name, &old.path) == (&cookie.host, &cookie.name, &cookie.path);
            self.jar.retain(|old| !replaces(old));
            if cookie.max_age.is_none_or(|seconds| seconds > 0) {
                self.jar.push(cookie);
            }
        }
        reply
    }
}
