// shared/verify-js/verify.ts beside an issuer that lies: what counts as a token, and what does not. TK-5, ED-7.
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { build } from 'esbuild';

const folder = new URL('../../shared/verify-js/', import.meta.url).pathname;
const compiled = mkdtempSync(join(tmpdir(), 'vestibule-verify-'));
await build({ entryPoints: [`${folder}verify.ts`], format: 'esm', outfile: join(compiled, 'verify.mjs') });
const { Verifier } = await import(join(compiled, 'verify.mjs'));
after(() => rmSync(compiled, { recursive: true }));

const ISSUER = 'https://sso.example';
const JWKS = `${ISSUER}/oauth2/jwks`;
const LIST = `${ISSUER}/oauth2/status/acme.0`;
const part = (value) => Buffer.from(Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url');

/** A key pair with a name. */
function newKey(kid, kind = 'ec', options = { namedCurve: 'P-256' }) {
  const { privateKey, publicKey } = generateKeyPairSync(kind, options);
  const alg = { ec: 'ES256', ed25519: 'EdDSA', rsa: 'RS256' }[kind];
  const hash = kind === 'ed25519' ? null : 'sha256';
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg },
    sign(typ, claims, header = { alg, typ, kid }) {
      const input = `${part(header)}.${part(claims)}`;
      return `${input}.${part(sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }))}`;
    },
  };
}

/** An issuer with one key and one list, and a clock. */
function newIssuer(key = newKey('k1')) {
  const issuer = {
    key, now: 1_750_000_000, documents: {}, asked: [],
    verifier: () => new Verifier({
      issuer: ISSUER, audience: 'crm', now: () => issuer.now,
      fetch: async (url) => {
        issuer.asked.push(url);
        return new Response(issuer.documents[url] ?? null, { status: issuer.documents[url] === undefined ? 503 : 200 });
      },
    }),
    publish: (...keys) => { issuer.documents[JWKS] = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }); },
    listClaims(marked = [], others = {}) {
      const bits = Buffer.alloc(128);
      for (const place of marked) bits[place >> 3] |= 1 << (place % 8);
      const lst = deflateSync(bits).toString('base64url');
      return { iss: ISSUER, sub: LIST, iat: issuer.now, exp: issuer.now + 300, status_list: { bits: 1, lst }, ...others };
    },
    list: (...marked) => { issuer.documents[LIST] = key.sign('statuslist+jwt', issuer.listClaims(marked)); },
    claims: (others = {}) => ({
      iss: ISSUER, aud: 'crm', sub: 'alice', client_id: 'crm', iat: issuer.now, exp: issuer.now + 3_600, jti: 'g.1',
      scope: 'openid', tenant: 'acme', sid: 's1', status: { status_list: { idx: 9, uri: LIST } }, ...others,
    }),
    token: (others) => key.sign('at+jwt', issuer.claims(others)),
  };
  issuer.publish(key);
  issuer.list();
  return issuer;
}

/** Why a token is refused. */
async function reason(verifier, token) {
  return verifier.verify(token).then(() => 'taken', (error) => error.reason ?? error);
}

test('the types fit', () => {
  execFileSync(createRequire(import.meta.url).resolve('typescript/bin/tsc'), ['-p', folder]);
});

test('a good token says who it is, and nobody is asked twice', async () => {
  for (const key of [newKey('k1'), newKey('k1', 'ed25519'), newKey('k1', 'rsa', { modulusLength: 2048 })]) {
    const issuer = newIssuer(key);
    const verifier = issuer.verifier();
    const { sub, tenant } = await verifier.verify(issuer.token());
    assert.deepEqual([sub, tenant, issuer.asked], ['alice', 'acme', [JWKS, LIST]]);
    for (let times = 0; times < 5; times += 1) await verifier.verify(issuer.token());
    assert.equal(issuer.asked.length, 2);
  }
});

test('a token does not choose its algorithm, and is not changed', async () => {
  const issuer = newIssuer();
  const [verifier, claims] = [issuer.verifier(), issuer.claims()];
  for (const alg of ['none', 'None', 'HS256', 'ES384', '', 'constructor', 7, null]) {
    const header = { alg, typ: 'at+jwt', kid: 'k1' };
    assert.equal(await reason(verifier, issuer.key.sign('at+jwt', claims, header)), 'algorithm', String(alg));
    assert.equal(await reason(verifier, `${part(header)}.${part(claims)}.`), 'algorithm', String(alg));
  }
  const input = `${part({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })}.${part(claims)}`;
  const tag = createHmac('sha256', JSON.stringify(issuer.key.jwk)).update(input).digest('base64url');
  assert.equal(await reason(verifier, `${input}.${tag}`), 'algorithm');
  assert.deepEqual(issuer.asked, [], 'for these nobody is asked');
  for (const alg of ['RS256', 'EdDSA']) {
    assert.equal(await reason(verifier, issuer.key.sign('at+jwt', claims, { alg, typ: 'at+jwt', kid: 'k1' })), 'algorithm', alg);
  }
  const [head, body, signature] = issuer.token().split('.');
  const thief = newKey('k1');
  assert.equal(await reason(verifier, `${head}.${part({ ...claims, sub: 'mallory' })}.${signature}`), 'signature');
  assert.equal(await reason(verifier, `${head}.${body}.`), 'signature');
  assert.equal(await reason(verifier, thief.sign('at+jwt', claims)), 'signature');
  assert.equal(await reason(verifier, thief.sign('', claims, { alg: 'ES256', typ: 'at+jwt', kid: 'k1', jwk: thief.jwk })), 'signature');
  assert.equal(await reason(verifier, issuer.key.sign('', claims, { alg: 'ES256', typ: 'at+jwt', kid: 'k1', crit: ['x'] })), 'malformed');
  for (const broken of ['', '.', '..', 'a.b', 'a.b.c', 'é.é.é', `${head}.${body}.${signature}.x`, 'x'.repeat(2_000_000)]) {
    assert.equal(await reason(verifier, broken), 'malformed', broken.slice(0, 20));
  }
});

test('another type, issuer, application or time is refused', async () => {
  const issuer = newIssuer();
  const [verifier, { now }] = [issuer.verifier(), issuer];
  for (const typ of ['JWT', 'statuslist+jwt', 'logout+jwt', '']) {
    assert.equal(await reason(verifier, issuer.key.sign(typ, issuer.claims())), 'type', typ);
  }
  for (const [others, expected] of [
    [{ iss: 'https://other.example' }, 'issuer'], [{ iss: `${ISSUER}/` }, 'issuer'],
    [{ aud: 'other' }, 'audience'], [{ aud: ['crm', 'other'] }, 'audience'],
    [{ exp: now - 30 }, 'expired'], [{ exp: now - 29 }, 'taken'], [{ iat: now + 31 }, 'not_yet'], [{ nbf: now + 31 }, 'not_yet'],
    [{ exp: undefined }, 'malformed'], [{ exp: 'tomorrow' }, 'malformed'], [{ sub: undefined }, 'malformed'], [{ tenant: 1 }, 'malformed'],
    [{ status: undefined }, 'no_status'], [{ status: null }, 'no_status'], [{ status: { status_list: {} } }, 'no_status'],
  ]) {
    assert.equal(await reason(verifier, issuer.token(others)), expected, JSON.stringify(others));
  }
  issuer.asked = [];
  for (const [idx, uri] of [
    [1024, LIST], [-1, LIST], [1.5, LIST], ['9', LIST], [9, 'https://evil.example/oauth2/status/acme.0'],
    [9, 'https://sso.example.evil.example/oauth2/status/acme.0'], [9, JWKS], [9, `${ISSUER}/oauth2/status/../jwks`], [9, `${LIST}?x`],
    [9, `${ISSUER}/oauth2/status/`], [9, undefined],
  ]) {
    assert.equal(await reason(verifier, issuer.token({ status: { status_list: { idx, uri } } })), 'no_status', `${idx} ${uri}`);
  }
  assert.deepEqual(issuer.asked, [], 'nothing is fetched on a token\'s word');
});

test('a revocation is seen within a minute, a stale list is believed to its end', async () => {
  const issuer = newIssuer();
  const verifier = issuer.verifier();
  issuer.list(8, 10, 1, 17);
  assert.equal(await reason(verifier, issuer.token()), 'taken');
  issuer.list(9);
  issuer.now += 59;
  assert.equal(await reason(verifier, issuer.token()), 'taken');
  issuer.now += 1;
  assert.equal(await reason(verifier, issuer.token()), 'revoked');
  issuer.list();
  issuer.now += 60;
  assert.equal(await reason(verifier, issuer.token()), 'taken');
  const made = issuer.now - 60;
  delete issuer.documents[LIST];
  issuer.now = made + 329;
  assert.equal(await reason(verifier, issuer.token()), 'taken');
  issuer.now += 1;
  const error = await verifier.verify(issuer.token()).catch((one) => one);
  assert.deepEqual([error.reason, error.status, error.response().headers.get('www-authenticate')], ['status_list', 503, null]);
  issuer.asked = [];
  assert.equal(await reason(verifier, issuer.token()), 'status_list');
  assert.deepEqual(issuer.asked, [], 'nobody is asked at each request');
});

test('a list that is not what it should be is none', async () => {
  const issuer = newIssuer();
  const { key, now } = issuer;
  const list = (others) => key.sign('statuslist+jwt', issuer.listClaims([], others));
  const bomb = deflateSync(Buffer.alloc(2 * 1024 * 1024)).toString('base64url');
  for (const [what, text] of Object.entries({
    'another issuer\'s': list({ iss: 'https://other.example' }),
    'about another address': list({ sub: `${LIST}0` }),
    'over': list({ exp: now - 30 }),
    'from the future': list({ iat: now + 31 }),
    'without an end': list({ exp: undefined }),
    'of two bits': list({ status_list: { bits: 2, lst: 'eJwDAAAAAAE' } }),
    'not compressed': list({ status_list: { bits: 1, lst: 'AAAA' } }),
    'too large': list({ status_list: { bits: 1, lst: bomb } }),
    'an access token': issuer.token(),
    'of another key': newKey('k1').sign('statuslist+jwt', issuer.listClaims()),
    'of an unknown key': newKey('k9').sign('statuslist+jwt', issuer.listClaims()),
    'not signed': `${part({ alg: 'none', typ: 'statuslist+jwt', kid: 'k1' })}.${part(issuer.listClaims())}.`,
    'not a token': '<html>',
  })) {
    issuer.documents[LIST] = text;
    assert.equal(await reason(issuer.verifier(), issuer.token()), 'status_list', what);
  }
});

test('unknown keys are asked for now and then, known ones outlive an outage for an hour', async () => {
  const issuer = newIssuer();
  const [verifier, next] = [issuer.verifier(), newKey('k2')];
  await verifier.verify(issuer.token());
  issuer.now += 10;
  issuer.asked = [];
  const token = next.sign('at+jwt', issuer.claims());
  for (let times = 0; times < 10; times += 1) assert.equal(await reason(verifier, token), 'unknown_key');
  assert.deepEqual(issuer.asked, [JWKS]);
  issuer.publish(issuer.key, next);
  issuer.now += 10;
  assert.equal(await reason(verifier, token), 'taken');
  delete issuer.documents[JWKS];
  issuer.now += 3_599;
  issuer.list();
  assert.equal(await reason(verifier, issuer.token()), 'taken');
  issuer.now += 1;
  assert.equal(await reason(verifier, issuer.token()), 'keys');
  issuer.publish(next);
  issuer.now += 10;
  assert.equal(await reason(verifier, issuer.token()), 'unknown_key', 'withdrawn');
});

test('a request bears its token in one way', async () => {
  const issuer = newIssuer();
  const verifier = issuer.verifier();
  const ask = (authorization) => verifier.verifyRequest(new Request('https://api.example', { headers: authorization ? { authorization } : {} }));
  assert.equal((await ask(`bearer ${issuer.token()}`)).sub, 'alice');
  for (const wrong of [undefined, 'Bearer', issuer.token(), `Basic ${issuer.token()}`]) {
    const error = await ask(wrong).catch((one) => one);
    assert.deepEqual([error.reason, error.response().status, error.response().headers.get('www-authenticate')], ['missing', 401, 'Bearer']);
  }
  const error = await ask('Bearer x').catch((one) => one);
  assert.equal(error.response().headers.get('www-authenticate'), 'Bearer error="invalid_token"');
});
