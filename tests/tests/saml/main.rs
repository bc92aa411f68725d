//! SAML against a second implementation: responses that it signs, encrypts and forges, and its canonical form of documents.
//! It takes the Python packages of `tests/python`.

mod canonical;
mod forged;
