//! A tenant's checkpoint as an administrator sets it: bounds, and texts that people will read.

use super::check_server_url;
use super::problems::Problems;
use crate::Broker;
use crate::model::checkpoint::{Checkpoint, Justification, MAX_JUSTIFICATION};

/// The checkpoint is one that people can pass.
pub(super) fn check(problems: &mut Problems, broker: &Broker, checkpoint: &Checkpoint) {
    if checkpoint.justification.is_none() && checkpoint.webhook.is_none() {
        problems.add("/checkpoint", "does nothing: it needs a justification or a webhook");
    }
    if let Some(justification) = &checkpoint.justification {
        check_justification(problems, justification);
    }
    if let Some(webhook) = &checkpoint.webhook {
        problems.take("/checkpoint/webhook/url", check_server_url(broker, &webhook.url));
    }
}

fn check_justification(problems: &mut Problems, asked: &Justification) {
    let Justification { prompt, min_length, max_length, reasons } = asked;
    if !is_text(prompt, 300) {
        problems.add("/checkpoint/justification/prompt", "must have 1 to 300 characters on one line");
    }
    if !(1..=MAX_JUSTIFICATION).contains(min_length) {
        problems.add("/checkpoint/justification/min_length", "must be 1 to 1000");
    }
    if !(*min_length..=MAX_JUSTIFICATION).contains(max_length) {
        problems.add("/checkpoint/justification/max_length", "must be min_length to 1000");
    }
    if reasons.len() > 20 {
        problems.add("/checkpoint/justification/reasons", "has more than 20 reasons");
    }
    for (at, reason) in reasons.iter().enumerate() {
        let path = format!("/checkpoint/justification/reasons/{at}");
        if !is_text(reason, 100) {
            problems.add(path, "must have 1 to 100 characters on one line");
        } else if reasons.iter().take(at).any(|other| other == reason) {
            problems.add(path, "is there twice");
        }
    }
}

/// One line without space around it.
fn is_text(text: &str, longest: usize) -> bool {
    let length = text.chars().count();
    (1..=longest).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
}
