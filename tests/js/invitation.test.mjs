// An invitation in a real browser, from its link to the signed-in application; and the pages of those who are not let in.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { broker, post, put, putTenant } from './broker.mjs';
import { chromiumOptions, sealed } from './chromium.mjs';
import { pictureOf } from './pictures.mjs';

const tenant = 'inviting';
const look = { name: 'Birch & Sons', logo_url: 'https://pictures.example/logo.svg', colour: '#7a1f5c' };
let app;
let at;
let browser;
let context;
let page;

before(async () => {
  // An application that begins a login where it is asked to, as OpenID Connect Core §4 has it.
  app = createServer((request, response) => {
    const asked = new URL(request.url, at);
    if (asked.pathname === '/start') {
      const query = new URLSearchParams({
        client_id: 'inviting', redirect_uri: `${at}/`, response_type: 'code', scope: 'openid email', state: 'mine',
        tenant: asked.searchParams.get('tenant'), connection: asked.searchParams.get('connection'),
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
      });
      response.writeHead(303, { location: `${asked.searchParams.get('iss')}/oauth2/authorize?${query}` }).end();
    } else {
      response.setHeader('content-type', 'text/html');
      response.end(`<title>Application</title><h1>${asked.searchParams.has('code') ? 'Welcome' : 'Hello'}</h1>`);
    }
  });
  await new Promise((resolve) => { app.listen(0, '127.0.0.1', resolve); });
  at = `http://127.0.0.1:${app.address().port}`;
  await putTenant(tenant);
  await put(`tenants/${tenant}`, { ...look, provisioning: { mode: 'invite_only' } });
  const client = { redirect_uris: [`${at}/`], client_auth: 'none' };
  await put('clients/inviting', { ...client, name: 'Planning board', initiate_login_uri: `${at}/start` });
  await put('clients/inviting-silent', { ...client, name: 'Archive & more' });
  browser = await chromium.launch(chromiumOptions);
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.route('https://pictures.example/**', (route) => {
    const body = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#7a1f5c"/></svg>';
    return route.fulfill({ contentType: 'image/svg+xml', body });
  });
});

after(async () => {
  await browser?.close();
  app?.close();
  app?.closeAllConnections();
});

const picture = (name) => pictureOf(page, name);
const heading = () => page.getByRole('heading', { level: 1 }).innerText();

async function invite(members) {
  const invitation = await post(`tenants/${tenant}/invitations`, members);
  return invitation.link;
}

async function signInAs(user) {
  await page.getByLabel('User').fill(user);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('an invited person comes from the link to the application', async () => {
  const link = await invite({ email: 'Alice@Example.test', client: 'inviting' });
  const response = await page.goto(link);
  assert.equal(response.headers()['referrer-policy'], 'no-referrer');
  assert.equal(await heading(), 'You are invited');
  assert.match(await page.locator('main').innerText(), /Birch & Sons invites you to sign in to Planning board/);
  assert.deepEqual(await context.cookies(broker), [], 'looking changes nothing');
  await picture('invitation');
  const referrers = [];
  page.on('request', (request) => { if (request.url().startsWith(at)) referrers.push(request.headers().referer); });
  // By keyboard alone.
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Continue');
  await page.keyboard.press('Enter');
  await page.getByLabel('User').waitFor();
  sealed((await context.cookies(broker)).find((cookie) => cookie.name === '__Host-invitation'));
  assert.ok(referrers.every((referrer) => !referrer?.includes('vst_i')), 'the link stays here');
  await signInAs('alice');
  await page.waitForURL((url) => url.href.startsWith(`${at}/?`));
  assert.equal(await heading(), 'Welcome');

  await context.clearCookies();
  assert.equal((await page.goto(link)).status(), 404);
  assert.equal(await heading(), 'This invitation does not work');
  await picture('invitation-over');
});

test('whoever has another address is told what to do', async () => {
  await context.clearCookies();
  const link = await invite({ email: 'carol@example.test', client: 'inviting' });
  await page.goto(link);
  await page.getByRole('button', { name: 'Continue' }).click();
  await signInAs('bob');
  await page.getByRole('heading', { name: 'You need an invitation' }).waitFor();
  assert.doesNotMatch(await page.locator('main').innerText(), /carol|bob/);
  await picture('invitation-needed');
});

test('where an application has no beginning, the page says where to go', async () => {
  for (const [client, words] of [['inviting-silent', /Open Archive & more in this browser/], [undefined, /the application that you were/]]) {
    await context.clearCookies();
    await page.goto(await invite({ email: `dora-${words.source.length}@example.test`, client }));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'One step is left' }).waitFor();
    assert.match(await page.locator('main').innerText(), words);
    sealed((await context.cookies(broker)).find((cookie) => cookie.name === '__Host-invitation'));
    await picture(`invitation-opened${client ? '' : '-anywhere'}`);
  }
});

test('whom no directory pushed is told how that comes', async () => {
  const closed = 'pushed-only';
  await putTenant(closed);
  await put(`tenants/${closed}`, { name: 'Birch & Sons', provisioning: { mode: 'scim' } });
  await context.clearCookies();
  const query = new URLSearchParams({
    client_id: 'inviting', redirect_uri: `${at}/`, response_type: 'code', scope: 'openid', tenant: closed,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  });
  await page.goto(`${broker}/oauth2/authorize?${query}`);
  await signInAs('alice');
  await page.getByRole('heading', { name: 'You have no access yet' }).waitFor();
  await picture('not-provisioned');
});
