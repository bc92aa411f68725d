//! A tenant's checkpoint as an administrator sets it: bounds, and texts that people will read.

use crate::error::AdminError;
use crate::model::checkpoint::{Checkpoint, Justification, MAX_JUSTIFICATION};

/// The checkpoint as it is kept.
pub(super) fn check(sent: Option<Checkpoint>) -> Result<Option<Checkpoint>, AdminError> {
    let Some(checkpoint) = sent else { return Ok(None) };
    let Some(justification) = &checkpoint.justification else {
        return invalid("checkpoint", "asks for nothing: it needs a justification");
    };
    check_justification(justification)?;
    Ok(Some(checkpoint))
}

fn check_justification(asked: &Justification) -> Result<(), AdminError> {
    let Justification { prompt, min_length, max_length, reasons } = asked;
    if !is_text(prompt, 300) {
        return invalid("checkpoint.justification.prompt", "must have 1 to 300 characters on one line");
    }
    if !(1..=MAX_JUSTIFICATION).contains(min_length) {
        return invalid("checkpoint.justification.min_length", "must be 1 to 1000");
    }
    if !(*min_length..=MAX_JUSTIFICATION).contains(max_length) {
        return invalid("checkpoint.justification.max_length", "must be min_length to 1000");
    }
    if reasons.len() > 20 || !reasons.iter().all(|reason| is_text(reason, 100)) {
        return invalid(
            "checkpoint.justification.reasons",
            "has at most 20 reasons of 1 to 100 characters on one line",
        );
    }
    let repeated =
        reasons.iter().enumerate().any(|(at, reason)| reasons.iter().skip(at + 1).any(|other| other == reason));
    if repeated {
        return invalid("checkpoint.justification.reasons", "has a reason twice");
    }
    Ok(())
}

/// One line without space around it.
fn is_text(text: &str, longest: usize) -> bool {
    let length = text.chars().count();
    (1..=longest).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
}

const fn invalid<T>(field: &'static str, problem: &'static str) -> Result<T, AdminError> {
    Err(AdminError::Invalid { field, problem })
}
