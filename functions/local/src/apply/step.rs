//! One object on its way to the broker: what differs, the write, and what a person reads of it.

use anyhow::Result;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::api::{Expect, Found, Remote};
use super::difference::{Change, changes};
use super::file::{Kind, Object};
use crate::say;

/// What there is to do for an object.
pub(super) struct Step {
    object: Object,
    /// As the broker has it.
    found: Option<Found>,
    /// Of an object that the broker has: what differs.
    changes: Vec<Change>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Done {
    Created,
    Changed,
    Unchanged,
    /// The lines that say why.
    Failed(Vec<String>),
}

impl Step {
    /// The step from what was found to what the rehearsal came to.
    pub(super) fn new(object: Object, found: Option<Found>, view: &Value) -> Self {
        let changes = match (&found, object.kind) {
            (None, _) => Vec::new(),
            (Some(found), Kind::Domain) => verification(found, view),
            (Some(found), _) => changes(&found.view, view),
        };
        Self { object, found, changes }
    }

    /// What would be done.
    pub(super) const fn look(&self) -> Done {
        match (&self.found, self.changes.is_empty()) {
            (None, _) => Done::Created,
            (Some(_), false) => Done::Changed,
            (Some(_), true) => Done::Unchanged,
        }
    }

    /// Does it. A secret cannot be compared, so an object that has one is always written.
    pub(super) async fn write(&self, remote: &Remote) -> Result<Done> {
        let planned = self.look();
        if !matches!(planned, Done::Unchanged) || !self.object.secrets.is_empty() {
            let expect = self.found.as_ref().map_or(Expect::Absent, Expect::AsRead);
            let answer = remote.put(&self.object.path, &Value::Object(self.object.body.clone()), expect).await?;
            if answer.status == StatusCode::PRECONDITION_FAILED {
                let text = "somebody else changed it since it was read; apply the file again";
                return Ok(Done::Failed(vec![format!("{}: {text}", self.object.place)]));
            }
            if !answer.status.is_success() {
                let problems = answer.problems(&self.object.place);
                return Ok(Done::Failed(problems.iter().map(ToString::to_string).collect()));
            }
        }
        if self.object.kind == Kind::Domain { self.verify(remote, planned).await } else { Ok(planned) }
    }

    /// A domain that is not verified is looked up each time. That its record is not there yet is no failure.
    async fn verify(&self, remote: &Remote, planned: Done) -> Result<Done> {
        if self.is_verified() {
            return Ok(planned);
        }
        let reason = self.object.override_reason.as_ref();
        let body = reason.map_or_else(|| json!({}), |reason| json!({ "override_reason": reason }));
        let answer = remote.verify(&self.object.path, &body).await?;
        if answer.status.is_success() {
            return Ok(if matches!(planned, Done::Unchanged) { Done::Changed } else { planned });
        }
        if reason.is_some() {
            let problems = answer.problems(&self.object.place);
            return Ok(Done::Failed(problems.iter().map(ToString::to_string).collect()));
        }
        if let Some(claim) = remote.get(&self.object.path).await? {
            let text = |name: &str| claim.view.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            say(&format!("{} is not verified: publish the TXT record", self.object.name));
            say(&format!("    {}  {}", text("txt_name"), text("txt_value")));
        }
        Ok(planned)
    }

    fn is_verified(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.view.get("verified") == Some(&Value::Bool(true)))
    }

    /// Tells a person. Values that are shown come from what the broker shows of an object: no secret is among them.
    pub(super) fn report(&self, done: &Done, dry_run: bool) {
        let name = &self.object.name;
        let word = match done {
            Done::Created => "created",
            Done::Changed => "changed",
            Done::Unchanged => "unchanged",
            Done::Failed(problems) => {
                eprintln!("failed     {name}");
                return problems.iter().for_each(|problem| eprintln!("    {problem}"));
            }
        };
        say(&format!("{word:<10} {name}"));
        for Change { field, from, to } in &self.changes {
            say(&format!("    {field}: {from} -> {to}"));
        }
        for secret in &self.object.secrets {
            let sent = if dry_run { "would be sent" } else { "sent" };
            say(&format!("    {secret}: {sent}; it cannot be read back and compared"));
        }
    }
}

/// Of a claim, only whether it is verified can become another. One that is stays so, whatever the file says of why.
fn verification(found: &Found, view: &Value) -> Vec<Change> {
    let verified = |view: &Value| view.get("verified") == Some(&Value::Bool(true));
    if verified(&found.view) || !verified(view) {
        return Vec::new();
    }
    vec![Change { field: "verified".to_owned(), from: false.into(), to: true.into() }]
}
