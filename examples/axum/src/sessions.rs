//! Who is signed in, in memory. A real application has a store here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, header};
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};

/// A sign-in in progress.
pub(crate) struct Login {
    pub(crate) state: CsrfToken,
    pub(crate) nonce: Nonce,
    pub(crate) verifier: PkceCodeVerifier,
}

/// Whoever has signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) subject: String,
    pub(crate) email: String,
}

enum Session {
    SigningIn(Login),
    SignedIn(Person),
}

/// All sessions, by the id in the browser's cookie.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    /// Remembers a sign-in. Gives the cookie.
    pub(crate) fn begin(&self, login: Login, secure: bool) -> String {
        self.keep(Session::SigningIn(login), secure)
    }

    /// Takes the sign-in that this browser has begun. It can be finished once.
    pub(crate) fn take_login(&self, headers: &HeaderMap) -> Option<Login> {
        match self.all().remove(id(headers)?)? {
            Session::SigningIn(login) => Some(login),
            Session::SignedIn(_) => None,
        }
    }

    /// Remembers who has signed in. Gives the cookie.
    pub(crate) fn sign_in(&self, person: Person, secure: bool) -> String {
        self.keep(Session::SignedIn(person), secure)
    }

    /// Who is signed in in this browser.
    pub(crate) fn person(&self, headers: &HeaderMap) -> Option<Person> {
        match self.all().get(id(headers)?)? {
            Session::SignedIn(person) => Some(person.clone()),
            Session::SigningIn(_) => None,
        }
    }

    fn keep(&self, session: Session, secure: bool) -> String {
        let id = CsrfToken::new_random_len(32).into_secret();
        let cookie = format!("session={id}; Path=/; HttpOnly; SameSite=Lax{}", if secure { "; Secure" } else { "" });
        self.all().insert(id, session);
        cookie
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="))
}
