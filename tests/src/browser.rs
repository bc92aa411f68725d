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
    /// The page that the request comes from; none when the person typed an address.
    from: Option<Page>,
}

/// What a page lends to the requests that start on it.
#[derive(Clone)]
struct Page {
    url: Url,
    /// `Origin` of its forms: `null` when its Referrer-Policy is `no-referrer` (Fetch, "append a request Origin header").
    origin: String,
}

impl Page {
    fn of(reply: &Reply) -> Self {
        let hidden = reply.header("referrer-policy") == Some("no-referrer");
        let origin = if hidden { "null".to_owned() } else { reply.url.origin().ascii_serialization() };
        Self { url: reply.url.clone(), origin }
    }
}

impl Step {
    fn typed(url: &str) -> Self {
        let url = Url::parse(url).expect("an address");
        Self { method: Method::GET, url, form: Vec::new(), from: None }
    }

    /// `Sec-Fetch-Site` of this request, were it the first of its chain.
    fn relation(&self) -> &'static str {
        match &self.from {
            None => "none",
            Some(from) if from.url.origin() == self.url.origin() => "same-origin",
            Some(from) if from.url.host_str() == self.url.host_str() => "same-site",
            Some(_) => "cross-site",
        }
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// A browser without history.
    pub fn new() -> Self {
        Self::over(crate::platform::http_client())
    }

    /// A browser without history that sends its requests by this client.
    pub const fn over(http: reqwest::Client) -> Self {
        Self { http, jar: Vec::new() }
    }

    /// Types an address and follows where it leads.
    pub async fn visit(&mut self, url: &str) -> Visit {
        self.navigate(Step::typed(url)).await
    }

    /// Types an address and looks at the first response only.
    pub async fn get(&mut self, url: &str) -> Reply {
        self.load(&Step::typed(url), true, "none").await
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
        self.navigate(Step { method, url, form: form.fields, from: Some(Page::of(page)) }).await
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

    async fn navigate(&mut self, mut step: Step) -> Visit {
        let mut hops = Vec::new();
        let mut relation = step.relation();
        let mut same_site = relation != "cross-site";
        while hops.len() < 20 {
            if step.url.host_str().is_some_and(|host| host.ends_with(".example")) {
                return Visit { hops, left_to: Some(step.url) };
            }
            let reply = self.load(&step, same_site, relation).await;
            let next = reply.location();
            let keeps_method = matches!(reply.status.as_u16(), 307 | 308);
            hops.push(reply);
            let Some(next) = next else { return Visit { hops, left_to: None } };
            same_site &= next.host_str() == step.url.host_str();
            step.url = next;
            if !keeps_method {
                step.method = Method::GET;
            }
            // One detour over another site is enough.
            relation = [relation, step.relation()].into_iter().max_by_key(|site| distance(site)).unwrap_or(relation);
        }
        panic!("redirects without end: {:?}", hops.iter().map(|hop| hop.url.as_str()).collect::<Vec<_>>());
    }

    async fn load(&mut self, step: &Step, same_site: bool, relation: &'static str) -> Reply {
        let get = step.method == Method::GET;
        let sent = self.jar.iter().filter(|cookie| cookie.goes_to(&step.url, same_site, get));
        let header = sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ");
        let mut request = self.http.request(step.method.clone(), step.url.clone());
        request = request.header("sec-fetch-site", relation).header("sec-fetch-mode", "navigate");
        if !header.is_empty() {
            request = request.header("cookie", header);
        }
        if !get {
            let origin = step.from.as_ref().map_or("null", |page| page.origin.as_str());
            request = request.header("origin", origin).form(&step.form);
        }
        let reply = Reply::of(request).await;
        self.keep_cookies(&reply);
        reply
    }

    /// Sends what a script on a page sends: the page's headers are the test's, the cookies the browser's.
    pub async fn fetch(&mut self, request: reqwest::RequestBuilder, same_site: bool) -> Reply {
        let (http, request) = request.build_split();
        let request = request.expect("a request");
        let sent = self.jar.iter().filter(|cookie| cookie.goes_to(request.url(), same_site, false));
        let header = sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ");
        let mut request = reqwest::RequestBuilder::from_parts(http, request);
        if !header.is_empty() {
            request = request.header("cookie", header);
        }
        let reply = Reply::of(request).await;
        self.keep_cookies(&reply);
        reply
    }

    fn keep_cookies(&mut self, reply: &Reply) {
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
    }
}

fn distance(site: &str) -> usize {
    ["none", "same-origin", "same-site", "cross-site"].iter().position(|known| *known == site).unwrap_or_default()
}
