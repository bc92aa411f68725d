// The demo in a real browser: what a person sees, what the browser keeps, and pictures of every page. The demo's three
// parts are on localhost; the last test has the identity provider on another site, where a cookie with the wrong SameSite
// would be left behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { broker, connection, idp, post, put, putTenant } from './broker.mjs';
import { chromiumOptions, sealed } from './chromium.mjs';
import { pictureOf } from './pictures.mjs';

let demo;
let app;
let profile;
let context;
let page;

before(async () => {
  profile = mkdtempSync(join(tmpdir(), 'vestibule-browser-'));
  app = await startDemo();
  context = await chromium.launchPersistentContext(profile, chromiumOptions);
  page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(15_000);
});

after(async () => {
  await context?.close();
  demo?.kill('SIGTERM');
  if (profile) rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
});

/** The demo's identity provider and application, on ports of their own; the application's address. */
function startDemo() {
  const options = ['--idp-listen', '127.0.0.1:0', '--app-listen', '127.0.0.1:0', '--data-dir', join(profile, 'demo')];
  demo = spawn(process.env.VESTIBULE_BINARY, ['demo', '--broker', broker, ...options]);
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (text) => {
      said += text;
      const open = /open (http:\S+) and sign in/.exec(said);
      if (open) resolve(open[1]);
    };
    demo.stdout.setEncoding('utf8').on('data', hear);
    demo.stderr.setEncoding('utf8').on('data', hear);
    demo.on('exit', (code) => reject(new Error(`the demo ended with ${code}: ${said}`)));
  });
}

const picture = (name) => pictureOf(page, name);

function atIdentityProvider() {
  const here = new URL(page.url());
  assert.equal(here.hostname, 'localhost');
  assert.ok(![new URL(broker).port, new URL(app).port].includes(here.port), here.href);
}

const heading = () => page.getByRole('heading', { level: 1 }).innerText();

async function signInAtDemo() {
  await page.goto(app);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('User name').fill('alice@demo.example');
  await page.getByLabel('Password').fill('alice-demo');
}

test('a person signs in at the demo and out again', async () => {
  await page.goto(app);
  assert.equal(await heading(), 'Demo application');
  await picture('app-signed-out');

  await page.getByRole('link', { name: 'Sign in' }).click();
  assert.equal(await heading(), 'Sign in');
  atIdentityProvider();
  await picture('idp-sign-in');
  const login = (await context.cookies(broker)).filter((cookie) => cookie.name.startsWith('__Host-login-'));
  assert.equal(login.length, 1, 'one cookie for the one login');
  sealed(login[0]);

  await page.getByLabel('User name').fill('alice@demo.example');
  await page.getByLabel('Password').fill('alice-demo');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Hello, Alice Arden' }).waitFor();
  assert.match(await page.locator('main, body').first().innerText(), /alice@demo\.example of tenant demo/);
  await picture('app-signed-in');
  const kept = await context.cookies(broker);
  sealed(kept.find((cookie) => cookie.name === '__Host-session'));
  assert.deepEqual(kept.filter((cookie) => cookie.name.startsWith('__Host-login-')), [], 'the login is over');

  await page.getByRole('button', { name: 'Renew the tokens' }).click();
  await page.getByText('renewed once').waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').waitFor();
  assert.ok(page.url().startsWith(app), page.url());
  const left = (await context.cookies(broker)).map((cookie) => cookie.name);
  assert.ok(!left.includes('__Host-session'), 'the session is gone');
});

test('a wrong password stays at the identity provider', async () => {
  // The identity provider would remember the person of the test before.
  await context.clearCookies();
  await signInAtDemo();
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  atIdentityProvider();
});

test('the broker\'s own pages say what happened', async () => {
  await page.goto(`${broker}/`);
  assert.match(await page.locator('body').innerText(), /Vestibule/);
  await picture('broker-home');
  const response = await page.goto(`${broker}/oauth2/callback?code=x&state=never-started`);
  assert.equal(response.status(), 400);
  assert.doesNotMatch(await page.locator('body').innerText(), /never-started/, 'what came in is not shown');
  await picture('broker-unknown-login');
  const unknown = await page.goto(`${broker}/oauth2/authorize?client_id=nobody&redirect_uri=http://localhost:9/&response_type=code`);
  assert.equal(unknown.status(), 400);
  await picture('broker-unknown-client');
});

test('the sign-in page asks who somebody is, by keyboard alone', async () => {
  await context.clearCookies();
  const tenant = 'sign-in-page';
  await putTenant(tenant);
  await put(`tenants/${tenant}/domains/sign-in-page.example`, {});
  await post(`tenants/${tenant}/domains/sign-in-page.example/verify`, { override_reason: 'a test' });
  await put('clients/sign-in-page', {
    name: 'Planning board', redirect_uris: ['https://app.example/'], client_auth: 'none',
  });
  const query = new URLSearchParams({
    client_id: 'sign-in-page', redirect_uri: 'https://app.example/', response_type: 'code', scope: 'openid', state: 'mine',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  });
  await page.goto(`${broker}/oauth2/authorize?${query}`);
  assert.equal(await heading(), 'Sign in');
  await picture('sign-in-email');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'email', 'typing can start at once');
  await page.keyboard.type('someone@nobody.example');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  assert.equal(await page.getByLabel('E-mail address').getAttribute('aria-describedby'), 'problem');
  assert.equal(await page.getByLabel('E-mail address').inputValue(), 'someone@nobody.example');
  await picture('sign-in-unknown-address');

  await page.getByLabel('E-mail address').fill('alice@sign-in-page.example');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Continue', 'the button is next');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.href.startsWith(idp));
});

test('the sign-in page offers the ways that there are', async () => {
  await context.clearCookies();
  const tenant = 'sign-in-ways';
  await put(`tenants/${tenant}`, { name: 'Birch & Sons', logo_url: 'https://pictures.example/logo.svg', colour: '#7a1f5c' });
  const staff = { button_text: 'Staff', button_image_url: 'https://pictures.example/staff.svg' };
  await put(`tenants/${tenant}/connections/a-staff`, connection({ name: 'Staff', sign_in: staff }));
  await put(`tenants/${tenant}/connections/b-guests`, connection({ name: 'our guests’ provider with a name that is rather long' }));
  await put('clients/sign-in-ways', {
    name: 'Planning board', tenants: [tenant], redirect_uris: ['https://app.example/'], client_auth: 'none',
  });
  const drawn = [];
  await page.route('https://pictures.example/**', (route) => {
    drawn.push(new URL(route.request().url()).pathname);
    const body = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#7a1f5c"/></svg>';
    return route.fulfill({ contentType: 'image/svg+xml', body });
  });
  const query = new URLSearchParams({
    client_id: 'sign-in-ways', redirect_uri: 'https://app.example/', response_type: 'code', scope: 'openid', state: 'mine',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  });
  const refused = [];
  page.on('console', (message) => { if (message.type() === 'error') refused.push(message.text()); });
  await page.goto(`${broker}/oauth2/authorize?${query}`);
  await page.getByRole('img', { name: 'Birch & Sons' }).waitFor();
  assert.deepEqual(drawn.sort(), ['/logo.svg', '/staff.svg'], 'the policy lets both pictures in');
  assert.deepEqual(refused, [], 'and the style');
  const border = await page.locator('main').evaluate((main) => getComputedStyle(main).borderTopColor);
  assert.equal(border, 'rgb(122, 31, 92)');
  await picture('sign-in-ways');
  assert.equal(await page.getByRole('listitem').count(), 2);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Staff');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.href.startsWith(idp));
  await page.unroute('https://pictures.example/**');
});

for (const mode of ['query', 'form_post']) {
  test(`a sign-in at an identity provider on another site keeps its cookie: ${mode}`, async () => {
    const back = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<h1>Back</h1>');
    });
    await new Promise((resolve) => { back.listen(0, '127.0.0.1', resolve); });
    const redirectUri = `http://127.0.0.1:${back.address().port}/callback`;
    try {
      await context.clearCookies();
      await putTenant('other-site');
      await put('tenants/other-site/connections/op', connection({ response_mode: mode }));
      await put('clients/other-site', {
        name: 'Another site', tenants: ['other-site'], redirect_uris: [redirectUri], client_auth: 'none',
      });
      const query = new URLSearchParams({
        client_id: 'other-site', redirect_uri: redirectUri, response_type: 'code', scope: 'openid email', state: 'mine',
        tenant: 'other-site', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
      });
      const answer = page.waitForRequest((request) => request.url().startsWith(`${broker}/oauth2/callback`));
      await page.goto(`${broker}/oauth2/authorize?${query}`);
      assert.ok(page.url().startsWith(idp), page.url());
      await page.getByLabel('User').fill('alice');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Back' }).waitFor();
      assert.equal((await answer).method(), mode === 'query' ? 'GET' : 'POST');
      const landed = new URL(page.url()).searchParams;
      assert.equal(landed.get('state'), 'mine');
      assert.equal(landed.get('iss'), broker);
      assert.ok(landed.get('code'), landed.toString());
      sealed((await context.cookies(broker)).find((cookie) => cookie.name === '__Host-session'));
    } finally {
      back.close();
      back.closeAllConnections();
    }
  });
}
