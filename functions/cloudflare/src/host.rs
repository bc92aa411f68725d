//! The runtime's side of the boundary: declarations of what `js/host.js` offers, and how its failures are read.

use js_sys::{Array, ArrayBuffer, JsString, Reflect};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "./host.js")]
extern "C" {
    /// The reply to a browser, as a `Response`.
    #[wasm_bindgen(catch)]
    pub(crate) fn respond(status: u16, head: &str, body: &[u8]) -> Result<JsValue, JsValue>;

    /// Sends a request: `[status, head text, bytes]`.
    #[wasm_bindgen(catch)]
    pub(crate) async fn send(
        method: &str,
        url: &str,
        head: &str,
        body: &[u8],
        timeout_ms: u32,
        limit: u32,
    ) -> Result<Array, JsValue>;

    #[wasm_bindgen(catch, js_name = readPartition)]
    pub(crate) async fn read_partition(namespace: &JsValue, name: &str, message: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = writePartition)]
    pub(crate) async fn write_partition(namespace: &JsValue, name: &str, message: &str) -> Result<JsValue, JsValue>;

    /// A long text in UTF-8.
    pub(crate) fn bytes(text: &JsString) -> Vec<u8>;

    /// Sends tasks, a JSON list of them, to a queue.
    #[wasm_bindgen(catch, js_name = sendTasks)]
    pub(crate) async fn send_tasks(queue: &JsValue, tasks: &str) -> Result<JsValue, JsValue>;

    /// Lets a promise finish although the reply is sent.
    #[wasm_bindgen(js_name = afterReply)]
    pub(crate) fn after_reply(promise: js_sys::Promise);

    /// How many calls out of this isolate were made so far.
    pub(crate) fn calls() -> u32;

    /// Writes a line to `console[level]`.
    pub(crate) fn log(level: &str, line: &str);

    #[wasm_bindgen(catch, js_name = importPublic)]
    pub(crate) async fn import_public(algorithm: &str, jwk: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = importPrivate)]
    pub(crate) async fn import_private(algorithm: &str, pkcs8: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(crate) async fn sign(algorithm: &str, key: &JsValue, input: &[u8]) -> Result<ArrayBuffer, JsValue>;

    #[wasm_bindgen(catch)]
    pub(crate) async fn verify(
        algorithm: &str,
        key: &JsValue,
        input: &[u8],
        signature: &[u8],
    ) -> Result<JsValue, JsValue>;

    /// An RSA key for RSA-OAEP with `hash`.
    #[wasm_bindgen(catch, js_name = importDecrypting)]
    pub(crate) async fn import_decrypting(hash: &str, pkcs8: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(crate) async fn decrypt(key: &JsValue, input: &[u8]) -> Result<ArrayBuffer, JsValue>;

    /// A new key pair: `[PKCS #8, public JWK]`.
    #[wasm_bindgen(catch)]
    pub(crate) async fn generate(algorithm: &str) -> Result<Array, JsValue>;
}

/// What went wrong, as the runtime words it.
pub(crate) fn message(error: &JsValue) -> String {
    property(error, "message").and_then(|text| text.as_string()).unwrap_or_else(|| "no message".to_owned())
}

/// The class of an exception, such as `TimeoutError`.
pub(crate) fn name(error: &JsValue) -> String {
    property(error, "name").and_then(|text| text.as_string()).unwrap_or_default()
}

/// A flag that the runtime sets on some exceptions, such as `overloaded`.
pub(crate) fn flag(error: &JsValue, name: &str) -> bool {
    property(error, name).is_some_and(|value| value.is_truthy())
}

/// A member of an object, unless it is not there.
pub(crate) fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name)).ok().filter(|value| !value.is_null() && !value.is_undefined())
}
