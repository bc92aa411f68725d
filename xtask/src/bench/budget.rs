//! What an operation may cost. The figures were set before there was code, from the raw cost of what cannot be left
//! out (signatures, a request's way through the runtime, storage) and from what other brokers cost in the same harness.

use super::broker::Kind;

/// Cold start of the native binary, in milliseconds.
pub(super) const COLD_NATIVE_MS: f64 = 30.0;
/// What the Worker's first answer may take beyond an empty Worker's, in milliseconds.
pub(super) const COLD_WORKER_MS: f64 = 20.0;
/// Memory of an idle native process, in megabytes.
pub(super) const MEMORY_NATIVE_MB: f64 = 30.0;
/// The wasm module through gzip, in kilobytes.
pub(super) const WASM_GZIP_KB: f64 = 600.0;

/// Processor time for one operation, in milliseconds. The native budgets leave storage out, so the binary with its
/// table has none.
pub(super) fn cpu_ms(kind: Kind, workload: &str) -> Option<f64> {
    let [native, worker] = match workload {
        "W1" => [0.03, 0.15],
        "W2" => [0.25, 1.2],
        "W3" => [0.07, 0.35],
        "W4" => [0.10, 0.20],
        "W5" => [0.05, 0.20],
        "W6" => [0.06, 0.35],
        "W7a" => [0.04, 0.25],
        "W7b" => [0.15, 0.8],
        "W8" => [0.05, 0.35],
        w9 if w9.starts_with("W9 ") => [0.10, 0.45],
        _ => return None,
    };
    match kind {
        Kind::Memory => Some(native),
        Kind::Native => None,
        Kind::Worker => Some(worker),
    }
}

/// What the part of a SAML response that is SAML may cost, in milliseconds of processor time: verified, opened, read.
pub(super) fn part_ms(kind: Kind, workload: &str) -> Option<f64> {
    let [native, worker] = match workload {
        "W10, the part that is SAML" => [0.2, 0.8],
        "W11, the part that is SAML" => [1.0, 3.0],
        _ => return None,
    };
    Some(if kind == Kind::Worker { worker } else { native })
}

/// What a workload is, for people.
pub(super) fn title(workload: &str) -> &str {
    match workload {
        "W1" => "login start",
        "W2" => "login, authorize to tokens",
        "W3" => "refresh with rotation",
        "W4" => "userinfo",
        "W5" => "metadata and keys",
        "W6" => "SCIM, create a person",
        "W7a" => "SCIM, find one of 10,000",
        "W7b" => "SCIM, 100 of 10,000",
        "W7c" => "SCIM, a walk through 10,000",
        "W8" => "SCIM, one member of 1,000",
        w9 if w9.starts_with("W9 ") => "sessions, each examined",
        "W10" => "SAML response, signed once",
        "W11" => "SAML, twice and encrypted",
        "SC-20" => "SCIM, 25 requests a second",
        other => other,
    }
}
