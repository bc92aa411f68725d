// What the runtime does for the wasm module, in the words of the runtime. `host.rs` declares these functions.
// Head texts are lines: name, value, name, value. A header holds no line break (RFC 9110 §5.5), so nothing is escaped.

import { waitUntil } from "cloudflare:workers";

// Calls that count against what the platform allows an invocation ("subrequests"). Of all invocations of this isolate.
let made = 0;

/** How many calls were made so far. */
export function calls() {
  return made;
}

/** The reply to a browser. `body` is a view into wasm memory and is copied. */
export function respond(status, head, body) {
  const headers = {};
  const again = [];
  // An object costs less than pairs; only set-cookie comes more than once.
  for (const [name, value] of pairs(head)) {
    if (name in headers) again.push([name, value]);
    else headers[name] = value;
  }
  const reply = new Response(body.length === 0 ? null : body.slice(), { status, headers });
  for (const [name, value] of again) reply.headers.append(name, value);
  return reply;
}

/** Sends a request to an identity provider. Throws TimeoutError, TooLargeError or what the runtime throws. */
export async function send(method, url, head, body, timeout, limit) {
  made += 1;
  const reply = await fetch(url, {
    method,
    headers: pairs(head),
    body: body.length === 0 ? undefined : body.slice(),
    // The first answer is the answer: a redirect could lead past the egress policy.
    redirect: "manual",
    signal: AbortSignal.timeout(timeout),
  });
  const bytes = await read(reply.body, limit);
  return [reply.status, lines(reply.headers), bytes];
}

/** Reads a stream to its end, and at most `limit` bytes of it. */
export async function read(stream, limit) {
  if (stream === null) return new Uint8Array();
  const chunks = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    // Leaving the loop cancels the stream.
    if (length > limit) throw new TooLargeError("body is too large");
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** A body that is longer than whoever reads it allows. */
export class TooLargeError extends Error {
  name = "TooLargeError";
}

/** Headers as head text. */
export function lines(headers) {
  let text = "";
  for (const [name, value] of headers) text += text === "" ? `${name}\n${value}` : `\n${name}\n${value}`;
  return text;
}

function pairs(head) {
  if (head === "") return [];
  const parts = head.split("\n");
  const list = [];
  for (let at = 0; at + 1 < parts.length; at += 2) list.push([parts[at], parts[at + 1]]);
  return list;
}

/** Asks a partition without changing it. */
export function readPartition(namespace, name, message) {
  made += 1;
  return namespace.getByName(name).read(message);
}

/** Changes a partition. */
export function writePartition(namespace, name, message) {
  made += 1;
  return namespace.getByName(name).write(message);
}

const encoder = new TextEncoder();

/** A long text as bytes: wasm takes over a text one letter at a time. For a short one that is quicker. */
export function bytes(text) {
  return encoder.encode(text);
}

/** A read copy from Workers KV, or null. `cacheTtl` is how long this place may answer without asking further. */
export async function readCopy(namespace, name) {
  made += 1;
  return await namespace.get(name, { type: "text", cacheTtl: 60 });
}

/** Writes a read copy, after the reply if need be. KV removes it by itself. */
export function writeCopy(namespace, name, text) {
  made += 1;
  // Two writes to one name within a second are refused; either copy serves.
  waitUntil(namespace.put(name, text, { expirationTtl: 60 }).catch(() => {}));
}

export async function deleteCopy(namespace, name) {
  made += 1;
  await namespace.delete(name);
}

/** Sends tasks, a JSON list, to a queue. */
export async function sendTasks(queue, tasks) {
  const messages = JSON.parse(tasks).map((body) => ({ body }));
  // The most that the queue takes at once.
  for (let at = 0; at < messages.length; at += 100) {
    made += 1;
    await queue.sendBatch(messages.slice(at, at + 100));
  }
}

/** Lets a promise finish although the reply is sent. */
export function afterReply(promise) {
  waitUntil(promise);
}

/** Writes one line of the log. */
export function log(level, line) {
  console[level](line);
}

const ecdsa = (namedCurve, hash) => ({ name: "ECDSA", namedCurve, hash });
const pkcs1 = (hash) => ({ name: "RSASSA-PKCS1-v1_5", hash });
const pss = (hash, saltLength) => ({ name: "RSA-PSS", hash, saltLength });

// RFC 7518 §3.1 in the terms of WebCrypto: each entry serves for import, sign and verify alike.
const algorithms = {
  ES256: ecdsa("P-256", "SHA-256"),
  ES384: ecdsa("P-384", "SHA-384"),
  RS256: pkcs1("SHA-256"),
  RS384: pkcs1("SHA-384"),
  RS512: pkcs1("SHA-512"),
  PS256: pss("SHA-256", 32),
  PS384: pss("SHA-384", 48),
  PS512: pss("SHA-512", 64),
  EdDSA: { name: "Ed25519" },
};

// WebCrypto copies what it is given before it returns (Web Cryptography API §14.3), so views into wasm memory serve.

export function importPublic(algorithm, jwk) {
  return crypto.subtle.importKey("jwk", JSON.parse(jwk), algorithms[algorithm], false, ["verify"]);
}

export function importPrivate(algorithm, pkcs8) {
  return crypto.subtle.importKey("pkcs8", pkcs8, algorithms[algorithm], false, ["sign"]);
}

export function sign(algorithm, key, input) {
  return crypto.subtle.sign(algorithms[algorithm], key, input);
}

export function verify(algorithm, key, input, signature) {
  return crypto.subtle.verify(algorithms[algorithm], key, signature, input);
}

/** An RSA key that unwraps what was encrypted with RSA-OAEP; `hash` serves label and mask. */
export function importDecrypting(hash, pkcs8) {
  return crypto.subtle.importKey("pkcs8", pkcs8, { name: "RSA-OAEP", hash }, false, ["decrypt"]);
}

export function decrypt(key, input) {
  return crypto.subtle.decrypt({ name: "RSA-OAEP" }, key, input);
}

/** A new key pair: [PKCS #8, the public half as a JWK]. */
export async function generate(algorithm) {
  // RSA alone looks at the length and the exponent 65537.
  const how = { ...algorithms[algorithm], modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await crypto.subtle.generateKey(how, true, ["sign", "verify"]);
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return [new Uint8Array(pkcs8), JSON.stringify({ kty, crv, x, y, n, e })];
}
