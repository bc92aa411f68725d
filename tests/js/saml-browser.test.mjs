// SAML in a real browser, with the identity provider on another site than the broker (127.0.0.1 and localhost): its answer is
// a POST across sites, with which a browser sends no cookie that does not say SameSite=None. For the first two minutes of a
// cookie without SameSite Chromium makes an exception, so one person here takes three. Beside them a provider changes its key.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { broker, put } from './broker.mjs';
import { chromiumOptions, sealed } from './chromium.mjs';
import { pictureOf } from './pictures.mjs';
import { SimpleSaml } from './saml.mjs';
import { authorization, putTenant, redeem, secret, signIn as signInPlainly, tried } from './saml-login.mjs';

const patience = 180_000;
const login = (cookies) => cookies.filter((cookie) => cookie.name.startsWith('__Host-login-'));
let idp;
let app;
let redirectUri;
let browser;
let slow;

before(async () => {
  idp = await SimpleSaml.start();
  app = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<title>Application</title><h1>Back</h1>');
  });
  await new Promise((resolve) => { app.listen(0, '127.0.0.1', resolve); });
  redirectUri = `http://127.0.0.1:${app.address().port}/callback`;
  browser = await chromium.launch(chromiumOptions);
  for (const [tenant, saml] of [['saml-fetched', { metadata_url: idp.metadataUrl }], ['saml-by-hand', {}]]) {
    await putTenant(idp, tenant, { saml });
    assert.equal((await signInPlainly(tenant, 'alice')).claims.email, 'alice@corp.example');
  }
  slow = { ...await atProvider('saml-slow', {}), since: Date.now() };
});

after(async () => {
  await browser?.close();
  app?.close();
  app?.closeAllConnections();
  idp?.stop();
});

/** A browser of somebody's own, at the provider's form, on the way into a tenant of this name. */
async function atProvider(tenant, settings) {
  const page = await begin(tenant, settings);
  await page.waitForURL(`${idp.origin}/**`);
  return { page, context: page.context() };
}

/** The same, wherever the request led. */
async function begin(tenant, settings) {
  await putTenant(idp, tenant, settings);
  await put(`clients/${tenant}-browser`, {
    name: 'Planning board', tenants: [tenant], redirect_uris: [redirectUri], client_auth: 'client_secret_post',
    client_secret: secret, id_token_claims: ['email', 'teams'],
  });
  const context = await browser.newContext();
  const page = await context.newPage();
  // Other suites keep the machine busy meanwhile.
  page.setDefaultTimeout(60_000);
  await page.goto(authorization(tenant, `${tenant}-browser`, { redirect_uri: redirectUri }));
  return page;
}

async function signIn(page) {
  await page.fill('[name=username]', 'alice');
  await page.fill('[name=password]', 'any');
  await page.locator('[name=password]').press('Enter');
}

test('what a refused answer looks like', async () => {
  const { page, context } = await atProvider('saml-refused-picture', { shape: { 'saml20.sign.response': false, 'saml20.sign.assertion': false } });
  await signIn(page);
  await page.waitForURL(`${broker}/**`);
  assert.doesNotMatch(await page.locator('body').innerText(), /alice/);
  await pictureOf(page, 'saml-refused');
  assert.ok(!(await context.cookies(broker)).some((cookie) => cookie.name === '__Host-session'));
});

test('a request that goes by POST', async () => {
  const [, certificate] = /X509Certificate>([^<]+)/.exec(await idp.metadata());
  const at = `${idp.origin}/saml2/idp/SSOService.php`;
  const saml = { single_sign_on: [{ binding: 'post', location: at }], certificates: [certificate] };
  const page = await begin('saml-by-post', { saml });
  await page.waitForURL(`${idp.origin}/**`);
  // Its page goes on by itself: to look at it, nothing comes of what it posts.
  await page.route(at, (route) => route.fulfill({ status: 204 }));
  await page.goto(authorization('saml-by-post', 'saml-by-post-browser', { redirect_uri: redirectUri }), { waitUntil: 'commit' });
  await page.getByRole('button').waitFor();
  await pictureOf(page, 'saml-posting');
  await page.unroute(at);
  // By keyboard alone, where the page's script does not run.
  await page.getByRole('button').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(`${idp.origin}/**`);
  await signIn(page);
  await page.getByRole('heading', { name: 'Back' }).waitFor();
  const { claims } = await redeem(new URL(page.url()), 'saml-by-post-browser', redirectUri);
  assert.equal(claims.email, 'alice@corp.example');
});

test('a cookie that says SameSite=Lax is left behind', async () => {
  const { page, context } = await atProvider('saml-lax', {});
  const [cookie] = login(await context.cookies(broker));
  await context.addCookies([{ ...cookie, sameSite: 'Lax' }]);
  await signIn(page);
  await page.waitForURL(`${broker}/**`);
  assert.ok(!(await context.cookies(broker)).some((cookie) => cookie.name === '__Host-session'));
});

test('somebody who takes three minutes at the provider signs in', async () => {
  const { page, context, since } = slow;
  const [cookie] = login(await context.cookies(broker));
  sealed({ ...cookie, sameSite: 'Lax' });
  assert.equal(cookie.sameSite, 'None');
  await new Promise((resolve) => { setTimeout(resolve, Math.max(0, since + patience - Date.now())); });
  await signIn(page);
  await page.getByRole('heading', { name: 'Back' }).waitFor();
  const { claims } = await redeem(new URL(page.url()), 'saml-slow-browser', redirectUri);
  assert.equal(claims.email, 'alice@corp.example');
  assert.deepEqual(claims.teams.toSorted(), ['admins', 'engineering']);
  const kept = await context.cookies(broker);
  sealed(kept.find((cookie) => cookie.name === '__Host-session'));
  assert.deepEqual(login(kept), [], 'the login is over');
});

// After the patience: metadata that was just fetched is not fetched again for a minute.
test('a provider whose metadata is fetched changes its key', async () => {
  idp.changeKey();
  assert.equal((await signInPlainly('saml-fetched', 'alice')).claims.email, 'alice@corp.example');
  // Where it was taken over once, somebody has to see to it.
  const told = await tried('saml-by-hand', 'alice');
  assert.match(told.reason, /not made with a certificate of this connection/);
});
