// Verifies the access tokens of a Vestibule broker in the application that they are for: in Node (20 and later), on Workers,
// wherever there are fetch, WebCrypto and DecompressionStream. It depends on nothing. The crate vestibule-verify is the same
// in Rust; docs/INTEGRATE.md says what both check.

/** Why a token does not count. */
export type Reason =
  | 'missing' | 'malformed' | 'algorithm' | 'type' | 'unknown_key' | 'signature' | 'issuer' | 'audience' | 'expired'
  | 'not_yet' | 'no_status' | 'revoked' | 'keys' | 'status_list';

/** A token that does not count, or a broker that cannot be asked (`keys`, `status_list`). */
export class TokenError extends Error {
  constructor(readonly reason: Reason, detail = '') {
    super(detail === '' ? reason : `${reason}: ${detail}`);
    this.name = 'TokenError';
  }

  /** How to answer: 503 when it is not the token's fault. */
  get status(): 401 | 503 {
    return this.reason === 'keys' || this.reason === 'status_list' ? 503 : 401;
  }

  /** The answer to a request (RFC 6750 §3). */
  response(): Response {
    const challenge = this.reason === 'missing' ? 'Bearer' : 'Bearer error="invalid_token"';
    return new Response(null, { status: this.status, headers: this.status === 401 ? { 'www-authenticate': challenge } : {} });
  }
}

/** What an access token says (RFC 9068 §2.2). */
export interface Claims {
  sub: string;
  tenant: string;
  sid: string;
  client_id: string;
  scope: string;
  iat: number;
  exp: number;
  jti: string;
  [claim: string]: unknown;
}

export interface Options {
  /** The broker's address, as its metadata has it. */
  issuer: string;
  /** The application's client id. */
  audience: string;
  /** How far the clocks may be apart, in seconds. */
  leeway?: number;
  /** For tests: the way to the broker, and seconds since 1970. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  now?: () => number;
}

type Json = Record<string, unknown>;
interface Key { kid: string; alg: string; key: CryptoKey }
interface List { bits: Uint8Array; end: number }
interface Kept { list?: List; due: number }

// How long keys are used, and believed when nobody answers; how often the broker is asked for a key that it does not have.
const [KEYS_LIFE, KEYS_BELIEVED, COOL_DOWN] = [300, 3_600, 10];
// How long a list is used from when it was made, and how soon the next one is asked for at most.
const [LIST_LIFE, PAUSE] = [60, 5];
// Bounds of memory: bytes of a document, of a list unpacked, and lists.
const [LARGEST, LARGEST_LIST, MOST_LISTS] = [1_048_576, 1_048_576, 128];

const ALGORITHMS: Record<string, { import: RsaHashedImportParams | EcKeyImportParams | { name: string }; verify: EcdsaParams | { name: string } }> = {
  ES256: { import: { name: 'ECDSA', namedCurve: 'P-256' }, verify: { name: 'ECDSA', hash: 'SHA-256' } },
  RS256: { import: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, verify: { name: 'RSASSA-PKCS1-v1_5' } },
  EdDSA: { import: { name: 'Ed25519' }, verify: { name: 'Ed25519' } },
};

/** Verifies access tokens of one issuer for one application. Keep one for as long as the process or isolate lives. */
export class Verifier {
  readonly #issuer: string;
  readonly #audience: string;
  readonly #leeway: number;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #now: () => number;
  #keys: Key[] = [];
  #keysReadAt = -Infinity;
  #keysAskedAt = -Infinity;
  readonly #lists = new Map<string, Kept>();

  constructor({ issuer, audience, leeway = 30, fetch, now }: Options) {
    [this.#issuer, this.#audience, this.#leeway] = [issuer, audience, leeway];
    this.#fetch = fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#now = now ?? (() => Math.floor(Date.now() / 1000));
  }

  /** The claims of the bearer of a request. Throws a `TokenError`. */
  async verifyRequest(request: Request): Promise<Claims> {
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '') ?? [];
    if (token === undefined) throw new TokenError('missing');
    return this.verify(token);
  }

  /** The claims of a token that counts. Throws a `TokenError`. */
  async verify(token: string): Promise<Claims> {
    const now = this.#now();
    const claims = await this.#open(token, 'at+jwt', now);
    if (claims.iss !== this.#issuer) throw new TokenError('issuer');
    if (claims.aud !== this.#audience) throw new TokenError('audience');
    const { iat, exp, nbf = iat } = claims as { iat: unknown; exp: unknown; nbf?: unknown };
    if (!isTime(iat) || !isTime(exp) || !isTime(nbf)) throw new TokenError('malformed');
    for (const name of ['sub', 'tenant', 'sid', 'client_id', 'scope', 'jti']) {
      if (typeof claims[name] !== 'string') throw new TokenError('malformed');
    }
    if (exp + this.#leeway <= now) throw new TokenError('expired');
    if (Math.max(iat, nbf) > now + this.#leeway) throw new TokenError('not_yet');
    const place = ((claims.status ?? {}) as Json).status_list as { idx?: unknown; uri?: unknown } | undefined;
    if (await this.#isMarked(place?.uri, place?.idx, now)) throw new TokenError('revoked');
    return claims as Claims;
  }

  /** The claims of a token of this type that one of the issuer's keys signed. */
  async #open(token: string, type: string, now: number): Promise<Json> {
    const parts = token.length <= LARGEST ? token.split('.') : [];
    if (parts.length !== 3) throw new TokenError('malformed');
    const [head, payload, signature] = parts as [string, string, string];
    const header = object(bytes(head));
    if ('crit' in header) throw new TokenError('malformed');
    const algorithm = typeof header.alg === 'string' && Object.hasOwn(ALGORITHMS, header.alg) ? ALGORITHMS[header.alg] : undefined;
    // Before anybody is asked for a key.
    if (algorithm === undefined) throw new TokenError('algorithm');
    if (String(header.typ ?? '').toLowerCase().replace(/^application\//, '') !== type) throw new TokenError('type');
    if (typeof header.kid !== 'string') throw new TokenError('unknown_key');
    const { alg, key } = await this.#key(header.kid, now);
    if (alg !== header.alg) throw new TokenError('algorithm');
    const input = new TextEncoder().encode(`${head}.${payload}`);
    if (!await crypto.subtle.verify(algorithm.verify, key, bytes(signature), input)) throw new TokenError('signature');
    return object(bytes(payload));
  }

  async #key(kid: string, now: number): Promise<Key> {
    const find = () => this.#keys.find((key) => key.kid === kid);
    const age = () => now - this.#keysReadAt;
    if ((find() === undefined || age() >= KEYS_LIFE) && now - this.#keysAskedAt >= COOL_DOWN) {
      this.#keysAskedAt = now;
      try {
        this.#keys = await readKeys(await this.#get(`${this.#issuer}/oauth2/jwks`));
        this.#keysReadAt = now;
      } catch (error) {
        if (age() >= KEYS_BELIEVED) throw new TokenError('keys', String(error));
      }
    }
    if (age() >= KEYS_BELIEVED) throw new TokenError('keys');
    const found = find();
    if (found === undefined) throw new TokenError('unknown_key');
    return found;
  }

  async #isMarked(uri: unknown, place: unknown, now: number): Promise<boolean> {
    // Nothing else is fetched on a token's word.
    const base = `${this.#issuer}/oauth2/status/`;
    if (typeof uri !== 'string' || !uri.startsWith(base) || !/^[a-zA-Z0-9.-]+$/.test(uri.slice(base.length))) {
      throw new TokenError('no_status');
    }
    if (typeof place !== 'number' || !Number.isSafeInteger(place) || place < 0) throw new TokenError('no_status');
    const kept = this.#lists.get(uri) ?? { due: -Infinity };
    if (!this.#lists.has(uri)) {
      if (this.#lists.size >= MOST_LISTS) this.#lists.clear();
      this.#lists.set(uri, kept);
    }
    if (now >= kept.due) {
      try {
        await this.#readList(uri, kept, now);
      } catch (error) {
        kept.due = now + PAUSE;
        if (kept.list === undefined || now >= kept.list.end) throw new TokenError('status_list', String(error));
      }
    }
    if (kept.list === undefined || now >= kept.list.end) throw new TokenError('status_list');
    const byte = kept.list.bits[Math.floor(place / 8)];
    if (byte === undefined) throw new TokenError('no_status');
    return (byte >> (place % 8) & 1) === 1;
  }

  /** Fetches and verifies a list (draft-ietf-oauth-status-list-21 §8.3). */
  async #readList(uri: string, kept: Kept, now: number): Promise<void> {
    const { iss, sub, iat, exp, status_list: packed } = await this.#open((await this.#get(uri)).trim(), 'statuslist+jwt', now);
    const { bits, lst } = (packed ?? {}) as Json;
    if (iss !== this.#issuer || sub !== uri || bits !== 1 || typeof lst !== 'string') throw new Error('another list');
    if (!isTime(iat) || !isTime(exp)) throw new Error('no times');
    const end = exp + this.#leeway;
    if (end <= now || iat > now + this.#leeway) throw new Error('too old, or from the future');
    kept.list = { bits: await inflate(bytes(lst)), end };
    kept.due = Math.min(Math.max(iat + LIST_LIFE, now + PAUSE), now + LIST_LIFE);
  }

  async #get(url: string): Promise<string> {
    const answer = await this.#fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(5_000) });
    if (answer.status !== 200 || answer.body === null) throw new Error(`${url}: ${answer.status}`);
    return new TextDecoder().decode(await collect(answer.body, LARGEST));
  }
}

/** The keys of a set with which the broker can sign. What is none is left out. */
async function readKeys(text: string): Promise<Key[]> {
  const { keys } = JSON.parse(text) as { keys: JsonWebKey[] };
  const kinds: Record<string, string> = { 'EC P-256': 'ES256', 'OKP Ed25519': 'EdDSA', RSA: 'RS256' };
  const read = keys.map(async (jwk): Promise<Key[]> => {
    const { kty, crv, x, y, n, e, use, kid } = jwk as JsonWebKey & { kid?: unknown };
    const alg = kinds[kty === 'RSA' ? kty : `${kty} ${crv}`];
    if (alg === undefined || typeof kid !== 'string' || (use !== undefined && use !== 'sig')) return [];
    const material = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined));
    const key = await crypto.subtle.importKey('jwk', material, ALGORITHMS[alg]!.import, false, ['verify']).catch(() => undefined);
    return key === undefined ? [] : [{ kid, alg, key }];
  });
  return (await Promise.all(read)).flat();
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(base64url)) throw new TokenError('malformed');
  try {
    return Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
  } catch {
    throw new TokenError('malformed');
  }
}

function object(json: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw new TokenError('malformed');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TokenError('malformed');
  return value as Json;
}

/** DEFLATE data with a ZLIB header (RFC 1950). */
async function inflate(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return collect(new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate')), LARGEST_LIST);
}

async function collect(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > most) {
      await reader.cancel();
      throw new Error('too large');
    }
    parts.push(next.value);
  }
  const all = new Uint8Array(length);
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}
