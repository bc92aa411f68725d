//! What DynamoDB refuses, in the words of the store's contract.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use vestibule_core::store::StoreError;

/// Why a write did not happen.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another transaction was at one of the items. Nothing was written; it is worth asking again at once.
    Contended,
    /// Anything else.
    Store(StoreError),
}

/// The codes that say "too fast" and promise that nothing was done.
fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded" | "Throttling"
    )
}

/// A read that failed changed nothing, so the service's own failures may be tried again too.
pub(super) fn of_read<E: ProvideErrorMetadata + Error + 'static, R>(error: &SdkError<E, R>) -> StoreError
where
    SdkError<E, R>: Error,
{
    match error.code() {
        Some(code) if is_throttling(code) || code == "InternalServerError" => StoreError::Busy(code.to_owned()),
        _ => StoreError::Unavailable(describe(error)),
    }
}

/// After `InternalServerError`, a timeout or a broken connection it is not known whether a write happened: those are
/// not `Busy`, which promises that nothing was written.
pub(super) fn of_write<E: ProvideErrorMetadata + Error + 'static, R>(error: &SdkError<E, R>) -> Failure
where
    SdkError<E, R>: Error,
{
    match error.code() {
        Some("TransactionConflictException") => Failure::Contended,
        Some(code) if is_throttling(code) => Failure::Store(StoreError::Busy(code.to_owned())),
        _ => Failure::Store(StoreError::Unavailable(describe(error))),
    }
}

/// A cancelled transaction has a reason for each of its parts.
pub(super) fn of_transaction<R>(error: &SdkError<TransactWriteItemsError, R>) -> Failure
where
    SdkError<TransactWriteItemsError, R>: Error,
{
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return of_write(error);
    };
    let reasons: Vec<&str> = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    let has = |code: &str| reasons.contains(&code);
    // A condition that failed is the answer, whatever else went wrong beside it.
    if has("ConditionalCheckFailed") {
        Failure::Store(StoreError::Conflict)
    } else if has("TransactionConflict") {
        Failure::Contended
    } else if has("ThrottlingError") || has("ProvisionedThroughputExceeded") {
        Failure::Store(StoreError::Busy("transaction throttled".to_owned()))
    } else {
        Failure::Store(StoreError::Unavailable(format!("transaction cancelled: {}", reasons.join(", "))))
    }
}

/// The service's code and message, or the chain of causes. Neither has a record's contents.
pub(super) fn describe<E: ProvideErrorMetadata + Error + 'static, R>(error: &SdkError<E, R>) -> String
where
    SdkError<E, R>: Error,
{
    if let Some(code) = error.code() {
        return format!("{code}: {}", error.message().unwrap_or("no message"));
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
