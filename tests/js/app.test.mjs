// The certified `openid-client` as the application, `op.mjs` as the identity provider, the broker between them.
// What a stranger's library takes for granted has to hold; what we accept ourselves is tested in Rust.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { broker, put, putTenant } from './broker.mjs';
import { PlainBrowser } from './plain-browser.mjs';

const tenant = 'openid-client';
const redirectUri = 'http://localhost:9/callback';
const signedOutUri = 'http://localhost:9/signed-out';
const secret = 'the-application-at-the-broker-000000';
const overHttp = { execute: [oidc.allowInsecureRequests] };

let confidential;
let open;

before(async () => {
  await putTenant(tenant);
  const client = {
    name: 'Certified client',
    tenants: [tenant],
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [signedOutUri],
  };
  await put('clients/js-basic', { ...client, client_auth: 'client_secret_basic', client_secret: secret });
  await put('clients/js-open', { ...client, client_auth: 'none' });
  confidential = await oidc.discovery(new URL(broker), 'js-basic', {}, oidc.ClientSecretBasic(secret), overHttp);
  open = await oidc.discovery(new URL(broker), 'js-open', {}, oidc.None(), overHttp);
});

/** A whole sign-in; the tokens and the browser that it was done in. */
async function signIn(config, user, browser = new PlainBrowser()) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const start = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid email profile',
    tenant,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const end = await browser.walk(start.href, redirectUri, user);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  return { browser, tokens: await oidc.authorizationCodeGrant(config, end, checks) };
}

test('the metadata says what the broker does', () => {
  const metadata = confidential.serverMetadata();
  assert.equal(metadata.issuer, broker);
  assert.ok(metadata.supportsPKCE());
  assert.deepEqual(metadata.response_types_supported, ['code']);
  assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  for (const method of ['client_secret_basic', 'client_secret_post', 'none']) {
    assert.ok(metadata.token_endpoint_auth_methods_supported.includes(method), method);
  }
});

test('a person signs in and the application learns who it is', async () => {
  const { tokens } = await signIn(confidential, 'alice');
  const claims = tokens.claims();
  assert.equal(claims.email, 'alice@example.test');
  assert.equal(claims.name, 'Alice Liddell');
  assert.equal(claims.tenant, tenant);
  assert.notEqual(claims.sub, 'alice', 'the subject is the broker\'s own');
  assert.ok(claims.sid);
  assert.equal(tokens.expires_in, 86400);

  const again = await signIn(confidential, 'alice');
  assert.equal(again.tokens.claims().sub, claims.sub, 'the same person, the same subject');
  const other = await signIn(confidential, 'bob');
  assert.notEqual(other.tokens.claims().sub, claims.sub);
});

test('the access token verifies with the published keys', async () => {
  const { tokens } = await signIn(confidential, 'alice');
  const keys = createRemoteJWKSet(new URL(confidential.serverMetadata().jwks_uri));
  const options = { issuer: broker, typ: 'at+jwt', algorithms: ['ES256'] };
  const { payload } = await jwtVerify(tokens.access_token, keys, options);
  assert.equal(payload.sub, tokens.claims().sub);
  assert.equal(payload.client_id, 'js-basic');
});

test('userinfo names the same person', async () => {
  const { tokens } = await signIn(confidential, 'alice');
  const claims = await oidc.fetchUserInfo(confidential, tokens.access_token, tokens.claims().sub);
  assert.equal(claims.email, 'alice@example.test');
});

test('a public client signs in with PKCE alone', async () => {
  const { tokens } = await signIn(open, 'bob');
  assert.equal(tokens.claims().aud, 'js-open');
});

test('a refresh gives new tokens and a new refresh token', async () => {
  const { tokens } = await signIn(confidential, 'alice');
  assert.ok(tokens.refresh_token);
  const fresh = await oidc.refreshTokenGrant(confidential, tokens.refresh_token);
  assert.notEqual(fresh.refresh_token, tokens.refresh_token);
  const claims = await oidc.fetchUserInfo(confidential, fresh.access_token, tokens.claims().sub);
  assert.equal(claims.sub, tokens.claims().sub);
});

test('a wrong secret and a wrong verifier are refused', async () => {
  const { tokens } = await signIn(confidential, 'alice');
  const wrong = oidc.ClientSecretBasic(`${secret}x`);
  const impostor = await oidc.discovery(new URL(broker), 'js-basic', {}, wrong, overHttp);
  await assert.rejects(oidc.refreshTokenGrant(impostor, tokens.refresh_token), (error) => error.error === 'invalid_client' || error.status === 401);

  const browser = new PlainBrowser();
  const state = oidc.randomState();
  const challenge = await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier());
  const start = oidc.buildAuthorizationUrl(confidential, {
    redirect_uri: redirectUri, scope: 'openid', tenant, state, code_challenge: challenge, code_challenge_method: 'S256',
  });
  const end = await browser.walk(start.href, redirectUri, 'alice');
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: state };
  await assert.rejects(oidc.authorizationCodeGrant(confidential, end, checks), { error: 'invalid_grant' });
});

test('signing out ends the session and leads back to the application', async () => {
  const { browser, tokens } = await signIn(confidential, 'alice');
  const state = oidc.randomState();
  const end = oidc.buildEndSessionUrl(confidential, {
    id_token_hint: tokens.id_token, post_logout_redirect_uri: signedOutUri, state,
  });
  const landed = await browser.walk(end.href, signedOutUri);
  assert.equal(landed.searchParams.get('state'), state);
  await assert.rejects(oidc.refreshTokenGrant(confidential, tokens.refresh_token), { error: 'invalid_grant' });
});

test('every cookie of the broker is bound to its host and hidden from scripts', async () => {
  const { browser } = await signIn(confidential, 'alice');
  const ours = browser.received.filter((line) => line.startsWith('__Host-'));
  assert.ok(ours.some((line) => line.startsWith('__Host-login-')), 'one for the login');
  assert.ok(ours.some((line) => line.startsWith('__Host-session=')), 'one for the session');
  for (const line of ours) {
    assert.match(line, /; ?Secure/i);
    assert.match(line, /; ?HttpOnly/i);
    assert.match(line, /; ?SameSite=Lax/i);
    assert.match(line, /; ?Path=\/(;|$)/i);
    assert.doesNotMatch(line, /; ?Domain=/i);
  }
});
