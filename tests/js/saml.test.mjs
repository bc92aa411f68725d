// A real identity provider, Debian's SimpleSAMLphp: every way in which it signs and encrypts, what it wants signed, logins that
// begin there. What counts is what an application gets at our token endpoint.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { broker } from './broker.mjs';
import { PlainBrowser } from './plain-browser.mjs';
import { SimpleSaml } from './saml.mjs';
import { authorization, putApplication, putTenant, signIn, tried, walk } from './saml-login.mjs';

let idp;

before(async () => {
  idp = await SimpleSaml.start();
});

after(() => idp?.stop());

const rsa = (hash) => `http://www.w3.org/2001/04/xmldsig-more#rsa-${hash}`;
const signs = (response, assertion) => ({ 'saml20.sign.response': response, 'saml20.sign.assertion': assertion });
const encrypts = (cipher) => ({ 'assertion.encryption': true, sharedkey_algorithm: cipher });
const cbc = (bits) => encrypts(`http://www.w3.org/2001/04/xmlenc#aes${bits}-cbc`);
const gcm = (bits) => encrypts(`http://www.w3.org/2009/xmlenc11#aes${bits}-gcm`);

/** Shapes that are accepted: what SimpleSAMLphp is told, and what its message then holds. */
const accepted = {
  'a signed assertion': [signs(false, true), /<saml:Assertion[^>]*><saml:Issuer>[^<]*<\/saml:Issuer><ds:Signature/],
  'a signed response': [signs(true, false), /^<samlp:Response[^>]*><saml:Issuer>[^<]*<\/saml:Issuer><ds:Signature/],
  'both signed': [signs(true, true), /<ds:Signature[\s\S]*<ds:Signature /],
  'RSA with SHA-384': [{ ...signs(false, true), 'signature.algorithm': rsa('sha384') }, /rsa-sha384/],
  'RSA with SHA-512': [{ ...signs(true, true), 'signature.algorithm': rsa('sha512') }, /rsa-sha512/],
  'AES-128-CBC in a signed response': [{ ...signs(true, false), ...cbc(128) }, /EncryptedAssertion[\s\S]*aes128-cbc/],
  'AES-256-CBC, signed twice': [{ ...signs(true, true), ...cbc(256) }, /EncryptedAssertion[\s\S]*aes256-cbc/],
  'AES-128-GCM': [{ ...signs(false, true), ...gcm(128) }, /EncryptedAssertion[\s\S]*aes128-gcm/],
  'AES-256-GCM, signed twice': [{ ...signs(true, true), ...gcm(256) }, /EncryptedAssertion[\s\S]*aes256-gcm/],
  'an encrypted name': [{ ...signs(false, true), 'nameid.encryption': true }, /<saml:EncryptedID>/],
};

for (const [number, [name, [shape, holds]]] of Object.entries(accepted).entries()) {
  test(`somebody signs in: ${name}`, async () => {
    const tenant = `saml-shape-${number}`;
    await putTenant(idp, tenant, { shape, saml: { wants_encryption: true } });
    const { claims, posted } = await signIn(tenant, 'alice');
    assert.ok(holds.test(posted[0].text), `the provider's answer is in another shape: ${posted[0].text.slice(0, 2000)}`);
    assert.equal(claims.email, 'alice@corp.example');
    assert.equal(claims.given_name, 'Alice');
    assert.equal(claims.family_name, 'Liddell');
    assert.deepEqual(claims.teams?.toSorted(), ['admins', 'engineering']);
    const again = await signIn(tenant, 'alice');
    assert.equal(again.claims.sub, claims.sub, 'the same person');
    const other = await signIn(tenant, 'bob');
    assert.notEqual(other.claims.sub, claims.sub);
    assert.equal(other.claims.family_name, 'O\'Neil & <Söns>');
    assert.deepEqual(other.claims.teams, ['engineering']);
  });
}

/** Shapes that are refused, and what the administrator is told. */
const refused = {
  'nothing signed': [signs(false, false), /neither the response nor the assertion is signed/],
  'RSA with SHA-1': [{ ...signs(true, true), 'signature.algorithm': 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }, /SHA-1/],
  'AES-CBC in a response that is not signed': [{ ...signs(false, true), ...cbc(256) }, /AES-CBC is accepted in a signed response only/],
};

for (const [number, [name, [shape, reason]]] of Object.entries(refused).entries()) {
  test(`nobody signs in: ${name}`, async () => {
    const tenant = `saml-refused-${number}`;
    await putTenant(idp, tenant, { shape, saml: { wants_encryption: true } });
    const browser = new PlainBrowser();
    const { posted, status, body } = await walk(browser, authorization(tenant), 'alice');
    assert.equal(posted.length, 1, 'the provider answered');
    assert.equal(status, 502, body);
    assert.doesNotMatch(body, /alice/, 'whom it named is not told');
    assert.ok(!browser.received.some((line) => line.startsWith('__Host-session=')), 'there is no session');
    const told = await tried(tenant, 'alice');
    assert.equal(told.state, 'failed');
    assert.match(told.reason, reason);
  });
}

test('requests are signed, by redirect and by POST, and a provider that verifies them takes no others', async () => {
  const shape = { 'validate.authnrequest': true };
  const [, certificate] = /X509Certificate>([^<]+)/.exec(await idp.metadata());
  const byPost = {
    single_sign_on: [{ binding: 'post', location: `${idp.origin}/saml2/idp/SSOService.php` }], certificates: [certificate],
  };
  const byRedirect = await putTenant(idp, 'saml-signed-redirect', { shape, saml: { sign_requests: true } });
  const redirected = await signIn('saml-signed-redirect', 'alice');
  assert.deepEqual(redirected.posted.map(({ message }) => message), ['SAMLResponse']);

  const posting = await putTenant(idp, 'saml-signed-post', { shape, saml: { ...byPost, sign_requests: true } });
  const posted = await signIn('saml-signed-post', 'alice');
  assert.deepEqual(posted.posted.map(({ message }) => message), ['SAMLRequest', 'SAMLResponse']);
  assert.match(posted.posted[0].text, /<ds:SignatureValue/);
  assert.equal(posted.claims.email, 'alice@corp.example');

  // It verifies indeed: not without a signature, and not with another connection's key.
  await putTenant(idp, 'saml-unsigned', { shape });
  const unsigned = await walk(new PlainBrowser(), authorization('saml-unsigned'), 'alice');
  assert.match(unsigned.body, /Validation of received messages enabled, but no signature found on message/);
  const key = (metadata) => /X509Certificate>([^<]+)/.exec(metadata)[1];
  for (const [name, own, other] of [['saml-signed-redirect', byRedirect, posting], ['saml-signed-post', posting, byRedirect]]) {
    idp.trust(name, own.metadata.replaceAll(key(own.metadata), key(other.metadata)), shape);
    const foreign = await walk(new PlainBrowser(), authorization(name), 'alice');
    assert.match(foreign.body, /Unable to validate/, name);
    assert.ok(!foreign.asked);
  }
});

test('one password is enough for two applications, and for two tenants that share the provider', async () => {
  await putTenant(idp, 'saml-sso');
  await putApplication('saml-sso', 'saml-sso-second');
  await putTenant(idp, 'saml-sso-other');
  const browser = new PlainBrowser();
  const first = await signIn('saml-sso', 'alice', { browser });
  assert.ok(first.asked);
  const second = await signIn('saml-sso', undefined, { browser, id: 'saml-sso-second' });
  assert.deepEqual([second.asked, second.posted], [false, []], 'our session is enough');
  assert.deepEqual([second.claims.sub, second.claims.sid], [first.claims.sub, first.claims.sid]);
  const other = await signIn('saml-sso-other', undefined, { browser });
  assert.deepEqual([other.asked, other.posted.length], [false, 1], 'the provider\'s session is enough');
  assert.equal(other.claims.email, first.claims.email);
  assert.notEqual(other.claims.sub, first.claims.sub, 'another tenant has people of its own');
  // Unless people must sign in again each time.
  await putTenant(idp, 'saml-sso-force', { saml: { force_authn: true } });
  const forced = await signIn('saml-sso-force', 'alice', { browser });
  assert.ok(forced.asked);
});

/** The walk of somebody who clicks on the tile of a portal. */
const tile = (browser, { register }) => {
  const query = new URLSearchParams({ spentityid: register.entity_id, RelayState: 'https://evil.example/' });
  return walk(browser, `${idp.origin}/saml2/idp/SSOService.php?${query}`, 'alice');
};

test('a login that begins at the provider is refused, unless it may', async () => {
  const ours = await putTenant(idp, 'saml-tile-off');
  const browser = new PlainBrowser();
  const ended = await tile(browser, ours);
  assert.equal(ended.url, ours.register.acs_url);
  assert.ok(ended.status >= 400 && ended.status < 500, `${ended.status}`);
  assert.doesNotMatch(ended.body, /alice|evil\.example/);
  assert.deepEqual(browser.received.filter((line) => line.includes(broker) || line.startsWith('__Host-session=')), []);
});

test('a login that begins at the provider begins again at the application', async () => {
  const ours = await putTenant(idp, 'saml-tile-restart', { saml: { idp_initiated: { client: 'saml-tile-restart' } } });
  const browser = new PlainBrowser();
  const { arrived } = await tile(browser, ours);
  assert.ok(arrived?.href.startsWith('https://app.example/saml-tile-restart/start?'), arrived?.href);
  assert.equal(arrived.searchParams.get('iss'), broker);
  assert.equal(arrived.searchParams.get('tenant'), 'saml-tile-restart');
  assert.ok(!browser.received.some((line) => line.startsWith('__Host-session=')), 'nobody is signed in by it');
  const { asked, posted, claims } = await signIn('saml-tile-restart', undefined, { browser });
  assert.deepEqual([asked, posted.length], [false, 1], 'the provider knows who it is');
  assert.equal(claims.email, 'alice@corp.example');
});

test('a login that begins at the provider begins a session where that is accepted', async () => {
  const idp_initiated = { client: 'saml-tile-accept', mode: 'accept' };
  const ours = await putTenant(idp, 'saml-tile-accept', { saml: { idp_initiated } });
  const browser = new PlainBrowser();
  const { arrived } = await tile(browser, ours);
  assert.ok(arrived?.href.startsWith('https://app.example/saml-tile-accept/start?'), arrived?.href);
  const { asked, posted, claims } = await signIn('saml-tile-accept', undefined, { browser });
  assert.deepEqual([asked, posted], [false, []], 'our session is enough');
  assert.equal(claims.email, 'alice@corp.example');
});
