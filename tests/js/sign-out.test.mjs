// Signing out in a real browser: applications that our page frames, the provider whose page frames us, and the sign-out
// that goes by way of the provider.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { broker, idp, put, putTenant } from './broker.mjs';
import { chromiumOptions } from './chromium.mjs';
import { pictureOf } from './pictures.mjs';

const tenant = 'signing-out';
// RFC 7636, appendix B.
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const secret = 'the-application-at-the-broker-000000';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
let apps;
let browser;
let context;
let page;

/** An application that writes down what its frame was asked, and ends its own session there by a script. */
async function startApp(id) {
  const asked = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://app');
    if (pathname === '/frame') asked.push(searchParams);
    response.setHeader('content-type', 'text/html');
    const script = '<script>fetch("/script-ran")</script>';
    if (pathname === '/script-ran') asked.script = true;
    response.end(`<title>Application</title><h1>Application ${pathname}</h1>${pathname === '/frame' ? script : ''}`);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const at = `http://127.0.0.1:${server.address().port}`;
  await put(`clients/${id}`, {
    name: id, redirect_uris: [`${at}/`], post_logout_redirect_uris: [`${at}/bye`],
    client_auth: 'client_secret_post', client_secret: secret, frontchannel_logout_uri: `${at}/frame`,
  });
  return { id, at, tenant, asked, server };
}

before(async () => {
  await putTenant(tenant);
  apps = [await startApp('framed-one'), await startApp('framed-two')];
  // Pages that a test makes up are from nowhere, and might not frame what is on this machine.
  const args = [...chromiumOptions.args, '--disable-features=LocalNetworkAccessChecks'];
  browser = await chromium.launch({ ...chromiumOptions, args });
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
});

after(async () => {
  await browser?.close();
  for (const { server } of apps ?? []) {
    server.close();
    server.closeAllConnections();
  }
});

/** Signs alice in at an application, which redeems its code; its ID token. */
async function signIn({ id, at, tenant }) {
  const query = new URLSearchParams({
    client_id: id, redirect_uri: `${at}/`, response_type: 'code', scope: 'openid email', state: 'mine', tenant,
    code_challenge: challenge, code_challenge_method: 'S256',
  });
  await page.goto(`${broker}/oauth2/authorize?${query}`);
  if (page.url().startsWith(idp)) {
    await page.getByLabel('User').fill('alice');
    await page.getByRole('button', { name: 'Sign in' }).click();
  }
  await page.waitForURL((url) => url.href.startsWith(`${at}/?`));
  const code = new URL(page.url()).searchParams.get('code');
  const form = new URLSearchParams({
    grant_type: 'authorization_code', code, redirect_uri: `${at}/`, code_verifier: verifier, client_id: id,
    client_secret: secret,
  });
  const reply = await fetch(`${broker}/oauth2/token`, { method: 'POST', body: form });
  assert.equal(reply.status, 200);
  return (await reply.json()).id_token;
}

const logout = (parameters) => `${broker}/oauth2/logout?${new URLSearchParams(parameters)}`;
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

test('applications of the session are told in frames, then the browser goes on by itself', async () => {
  const [one, two] = apps;
  const hint = await signIn(one);
  await signIn(two);
  const refused = [];
  page.on('console', (message) => { if (message.type() === 'error' && !message.text().includes('404')) refused.push(message.text()); });
  await page.goto(logout({ id_token_hint: hint, post_logout_redirect_uri: `${one.at}/bye`, state: 'mine' }));
  await page.waitForURL(`${one.at}/bye?state=mine`);
  for (const { asked } of apps) {
    assert.equal(asked.length, 1);
    assert.equal(asked[0].get('iss'), broker);
    assert.equal(asked[0].get('sid'), claims(hint).sid);
    assert.ok(asked.script, 'the frame may end the application\'s own session');
  }
  assert.deepEqual(refused, [], 'the policy lets the frames in');
  page.removeAllListeners('console');
});

test('the page of a sign-out with frames', async () => {
  const [one] = apps;
  const hint = await signIn(one);
  // It would go on before its pictures are taken.
  await page.route(`${broker}/oauth2/logout?**`, async (route) => {
    const response = await route.fetch();
    const { refresh, ...headers } = response.headers();
    assert.equal(refresh, `2; url=${one.at}/bye`);
    await route.fulfill({ response, headers });
  });
  await page.goto(logout({ id_token_hint: hint, post_logout_redirect_uri: `${one.at}/bye` }));
  await page.getByRole('heading', { name: 'Signed out' }).waitFor();
  await pictureOf(page, 'signed-out-with-frames');
  await page.unroute(`${broker}/oauth2/logout?**`);
  // By keyboard alone.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${one.at}/bye`);

  await page.goto(logout({}));
  await page.getByRole('heading', { name: 'Signed out' }).waitFor();
  await pictureOf(page, 'signed-out');
});

test('a provider\'s page frames us, and no other does', async () => {
  // A tenant of its own: a process may know a connection as it was for a minute.
  await putTenant('framed-by-provider', { logout: { front_channel: true } });
  const frame = `${broker}/oauth2/frontchannel-logout/framed-by-provider/op?${new URLSearchParams({ iss: idp, sid: 'a-name-that-nobody-has' })}`;
  const refused = [];
  page.on('console', (message) => { if (message.type() === 'error') refused.push(message.text()); });
  for (const [site, shown] of [[idp, true], [apps[0].at, false]]) {
    const html = `<!doctype html><title>Signing out</title><iframe src="${frame.replaceAll('&', '&amp;')}"></iframe>`;
    await page.route(`${site}/signing-out`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
    const answered = page.waitForResponse((response) => response.url() === frame);
    await page.goto(`${site}/signing-out`);
    assert.equal((await answered).status(), 200);
    if (shown) {
      await page.frameLocator('iframe').getByText('Signed out').waitFor();
      assert.deepEqual(refused, []);
    } else {
      await page.waitForFunction(() => document.readyState === 'complete');
      assert.match(refused.join(), /frame-ancestors/);
    }
    await page.unroute(`${site}/signing-out`);
  }
  page.removeAllListeners('console');
});

test('a sign-out goes by way of the provider and comes back', async () => {
  await putTenant('by-way-of', { logout: { at_provider: true } });
  await put('clients/by-way-of', {
    name: 'Planning board', redirect_uris: [`${apps[1].at}/`], post_logout_redirect_uris: [`${apps[1].at}/bye`],
    client_auth: 'client_secret_post', client_secret: secret,
  });
  const app = { ...apps[1], id: 'by-way-of', tenant: 'by-way-of' };
  await context.clearCookies();
  const hint = await signIn(app);
  await page.goto(logout({ id_token_hint: hint, post_logout_redirect_uri: `${app.at}/bye`, state: 'a b&c' }));
  // The provider asks: it got no ID token of its own.
  assert.ok(page.url().startsWith(`${idp}/session/end?`), page.url());
  await page.getByRole('button', { name: 'Yes, sign me out' }).click();
  await page.waitForURL((url) => url.href.startsWith(`${app.at}/bye`));
  assert.equal(new URL(page.url()).searchParams.get('state'), 'a b&c');
  // Signed out there as well.
  const query = new URLSearchParams({
    client_id: app.id, redirect_uri: `${app.at}/`, response_type: 'code', scope: 'openid', tenant: app.tenant,
    code_challenge: challenge, code_challenge_method: 'S256',
  });
  await page.goto(`${broker}/oauth2/authorize?${query}`);
  await page.getByLabel('User').waitFor();
});
