//! Handles: codes, refresh tokens, session cookies, directories' tokens, links of test logins and invitations.

use vestibule_core::handle::{Handle, HandleKind, Locator, TenantHandle, TenantHandleKind};
use vestibule_core::secret::Secret;
use vestibule_core::store::key::SessionShard;

const KINDS: [HandleKind; 3] = [HandleKind::Code, HandleKind::Refresh, HandleKind::Session];

/// A text that is read as a handle is written back as the same text, and is of one kind and shape only; a handle that was
/// written is read back as it was, and none of its neighbours is the same handle.
pub fn handles(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        one_reading(text);
    }
    let handle = made_of(data);
    let text = handle.to_text();
    let read = Handle::parse(handle.kind, handle.locator.path.len(), &text).expect("what we wrote is read");
    assert_eq!(read.locator, handle.locator);
    assert_eq!(read.secret.expose(), handle.secret.expose());
    if let Some(neighbour) = crate::changed(&text, data) {
        one_reading(&neighbour);
    }
}

fn one_reading(text: &str) {
    let mut readings = 0;
    for kind in KINDS {
        for length in 1..=2 {
            if let Some(handle) = Handle::parse(kind, length, text) {
                assert_eq!(handle.to_text(), text, "two texts for one handle");
                readings += 1;
            }
        }
    }
    for kind in [TenantHandleKind::ScimToken, TenantHandleKind::TestLogin, TenantHandleKind::Invitation] {
        if let Some(handle) = TenantHandle::parse(kind, text) {
            assert_eq!(handle.to_text(), text, "two texts for one handle");
            readings += 1;
        }
    }
    assert!(readings <= 1, "{text} is {readings} handles");
}

/// A handle of these bytes, within the rules on ids.
fn made_of(data: &[u8]) -> Handle {
    let id = |bytes: &[u8]| -> String {
        let letter = |byte: &u8| char::from(b"abcdefghijklmnopqrstuvwxyz0123456789-"[usize::from(*byte) % 37]);
        std::iter::once('x').chain(bytes.iter().take(30).map(letter)).collect()
    };
    let at = |index: usize| data.get(index).copied().unwrap_or_default();
    let mut secret = [0; 32];
    secret.iter_mut().zip(data).for_each(|(to, from)| *to = *from);
    let (first, second) = data.split_at(data.len() / 2);
    let path = if at(0) % 2 == 0 { vec![id(first)] } else { vec![id(first), id(second)] };
    Handle {
        kind: KINDS[usize::from(at(1)) % 3],
        locator: Locator {
            shard: SessionShard { tenant: id(second), number: u16::from_be_bytes([at(2), at(3)]) },
            path,
        },
        secret: Secret::new(secret),
    }
}
