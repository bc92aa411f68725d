//! What pages say of errors to the people who see them.

use http::StatusCode;
use vestibule_core::error::{Error, Internal, LoginError};
use vestibule_core::store::StoreError;
use vestibule_protocol::saml::Refused;

/// Status, title and advice of a page.
pub(super) fn words(error: &Error) -> (StatusCode, &'static str, &'static str) {
    match error {
        Error::OAuth(_) => (
            StatusCode::BAD_REQUEST,
            "This sign-in link does not work",
            "Go back to the application and try again from there. If it happens again, show this page to whoever runs \
             the application.",
        ),
        Error::Login(error) => login_words(error),
        Error::Admin(_) | Error::Scim(_) => {
            (StatusCode::BAD_REQUEST, "This does not work", "The request is not one that this service understands.")
        }
        Error::Internal(Internal::Store(StoreError::Busy(_))) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Very busy right now",
            "Nothing was lost. Wait a moment, then start again from your application.",
        ),
        Error::Internal(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something broke on our side",
            "Start again from your application. If it happens again, send the reference below to your administrator.",
        ),
    }
}

/// A provider's message about a sign-out.
const SIGN_OUT: (StatusCode, &str, &str) = (
    StatusCode::BAD_REQUEST,
    "This sign-out was refused",
    "The message from your identity provider cannot be accepted: it may have expired or been used before. To be sure that you \
     are signed out, sign out in your application.",
);

const fn login_words(error: &LoginError) -> (StatusCode, &'static str, &'static str) {
    match error {
        LoginError::UnknownLogin => (
            StatusCode::BAD_REQUEST,
            "This sign-in has expired",
            "It took too long, was already finished, or began in another browser. Start again from your application.",
        ),
        LoginError::Saml(refused) => saml_words(*refused),
        LoginError::SamlLogout(_) => SIGN_OUT,
        LoginError::OtherIssuer | LoginError::UpstreamInvalid(_) => (
            StatusCode::BAD_GATEWAY,
            "Your identity provider's answer was refused",
            "It did not pass our checks, so you are not signed in. Try again from your application. If it happens \
             again, send the reference below to your administrator.",
        ),
        LoginError::UpstreamDenied(_) => (
            StatusCode::BAD_REQUEST,
            "Your identity provider did not sign you in",
            "Start again from your application. If it happens again, send the reference below to your administrator.",
        ),
        LoginError::UpstreamUnavailable(_) => (
            StatusCode::BAD_GATEWAY,
            "Your identity provider cannot be reached",
            "This is usually over soon. Wait a moment, then start again from your application.",
        ),
        // One text for all: whether an account exists is nobody's business.
        LoginError::ConnectionUnavailable | LoginError::OtherDomain | LoginError::Inactive => (
            StatusCode::FORBIDDEN,
            "You cannot sign in here",
            "Your organisation does not let you sign in to this application. Ask your administrator, and send them \
             the reference below.",
        ),
        LoginError::NotProvisioned => (
            StatusCode::FORBIDDEN,
            "You have no access yet",
            "Your organisation decides in its own directory who may use this application. Ask your administrator to \
             assign it to you. If that has just happened, it can take up to 40 minutes until it counts here: try again \
             then. If it still does not work, send your administrator the reference below.",
        ),
        LoginError::NoRole => (
            StatusCode::FORBIDDEN,
            "You have no role here yet",
            "Your organisation lets people sign in to this application who have one of its roles, and your account has \
             none of them. Ask your administrator to give you one, or to add you to the right group, and send them the \
             reference below. Then start again from the application.",
        ),
        LoginError::NotInvited => (
            StatusCode::FORBIDDEN,
            "You need an invitation",
            "Open the link of your invitation in this browser, and then sign in with the e-mail address that it was \
             sent to. If you have none, or it does not work, ask your administrator and send them the reference below.",
        ),
        LoginError::InvitationOver => (
            StatusCode::NOT_FOUND,
            "This invitation does not work",
            "It may have been used already, taken back, replaced by a newer one, or be too old. If you have been here \
             before, just sign in at your application. Otherwise ask whoever invited you to send it again.",
        ),
    }
}

const fn saml_words(refused: Refused) -> (StatusCode, &'static str, &'static str) {
    match refused {
        Refused::Unsolicited => (
            StatusCode::BAD_REQUEST,
            "Start at your application",
            "Your identity provider sent you here of its own accord, and this service does not take that as a sign-in. \
             Open your application, and sign in there.",
        ),
        Refused::DummyInResponseTo => (
            StatusCode::BAD_GATEWAY,
            "Your identity provider's answer was refused",
            "It names a request that nobody here made. Open your application, and sign in there. If this came from a tile \
             of Rippling's, its administrator has to tick \"Disable InResponseTo field\".",
        ),
        Refused::Transient => (
            StatusCode::BAD_GATEWAY,
            "Your identity provider does not say who you are",
            "It gives you another name at each sign-in, so you would be somebody new each time. Ask your administrator to \
             have it send a name that stays the same, and send them the reference below.",
        ),
        Refused::Replayed => login_words(&LoginError::UnknownLogin),
        _ => login_words(&LoginError::OtherIssuer),
    }
}
