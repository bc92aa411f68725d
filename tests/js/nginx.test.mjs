// The example behind nginx, in a browser: the relay signs in on the application's own host, the gate lets through.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { broker } from './broker.mjs';
import { chromiumOptions } from './chromium.mjs';
import { examples, freePort, idp, Running } from './example.mjs';

const running = new Running();
const seen = [];
let application;
let origin;
let browser;

before(async () => {
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  application = createServer((incoming, response) => {
    seen.push(incoming.headers);
    response.setHeader('content-type', 'text/html').end(`<p id="who">${incoming.headers['x-subject']} of ${incoming.headers['x-tenant']} at ${incoming.url}</p>`);
  });
  await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
  await running.apply('nginx/deployment.toml', { '127.0.0.1:8080': `127.0.0.1:${port}` });
  const conf = running.copy('nginx/nginx.conf', {
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    'http://localhost:8787': broker.replace('localhost', '127.0.0.1'),
    '127.0.0.1:3002': `127.0.0.1:${application.address().port}`,
    '/tmp/vestibule-example-nginx.pid': join(running.folder, 'nginx.pid'),
    'alias sign-in.js': `alias ${join(running.folder, 'sign-in.js')}`,
    'alias page.html': `alias ${join(running.folder, 'page.html')}`,
  });
  for (const file of ['sign-in.js', 'page.html']) copyFileSync(join(examples, 'nginx', file), join(running.folder, file));
  // Started by root, nginx reads files as somebody else.
  chmodSync(running.folder, 0o755);
  await running.start(process.env.VESTIBULE_NGINX, ['-p', running.folder, '-c', conf], {}, `${origin}/auth/sign-in.js`);
  browser = await chromium.launch(chromiumOptions);
});

after(async () => {
  await browser?.close();
  running.stop();
  application?.close();
});

/** One request without a browser's manners: `{ status, headers }`. */
function ask(path, headers) {
  return new Promise((resolve, reject) => {
    request(`${origin}${path}`, { headers }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode, headers: answer.headers });
    }).on('error', reject).end();
  });
}

/** Pictures of the sign-in page in build/screenshots/, and no barrier that axe-core finds. */
async function looked(page) {
  const pictures = new URL('../../build/screenshots/', import.meta.url).pathname;
  mkdirSync(pictures, { recursive: true });
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
  for (const [size, viewport] of Object.entries({ wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } })) {
    await page.setViewportSize(viewport);
    await page.screenshot({ path: join(pictures, `example-nginx-${size}.png`) });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map((violation) => violation.id), [], size);
  }
}

/** A person in a browser of their own, signed in and back on the page that they wanted. */
async function signedIn(path, user) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(`${origin}${path}`);
  await page.getByText('You need to sign in').waitFor();
  await looked(page);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${idp}/**`);
  await page.fill('[name=username]', user);
  await page.fill('[name=password]', 'any');
  await page.locator('form').evaluate((form) => form.submit());
  await page.waitForURL(`${origin}${path}`);
  await page.locator('#who').waitFor();
  return { context, page };
}

test('a person signs in on the host and comes back to the page', async () => {
  const { context, page } = await signedIn('/reports?year=2026', 'alice');
  assert.match(await page.textContent('#who'), /^\S+ of acme at \/reports\?year=2026$/);
  const { cookie, ...headers } = seen.at(-1);
  assert.equal(cookie, undefined, 'no token reaches the application');
  assert.notEqual(headers['x-subject'], 'undefined');
  for (const kept of await context.cookies(origin)) {
    if (/Token$/.test(kept.name)) assert.ok(kept.httpOnly && kept.secure, kept.name);
  }
  // An access token that is over is renewed, and the page is there again.
  await context.clearCookies({ name: 'accessToken' });
  await page.reload();
  await page.locator('#who').waitFor();
  // Signed out, nothing is left to renew.
  const left = await page.evaluate(async () => (await fetch('/api/svc/v1/oauth2/logout', { method: 'POST' })).status);
  assert.equal(left, 204);
  await page.goto(`${origin}/reports`);
  await page.getByText('You need to sign in').waitFor();
  await context.close();
});

test('nobody gets through without an access token that counts', async () => {
  const before = seen.length;
  const { context } = await signedIn('/', 'bob');
  const kept = Object.fromEntries((await context.cookies(origin)).map((one) => [one.name, one.value]));
  const [header, payload, signature] = kept.accessToken.split('.');
  const reached = seen.length;
  for (const [what, headers] of Object.entries({
    'nothing': {},
    'headers that nginx sets': { 'x-subject': 'admin', 'x-tenant': 'acme' },
    'an empty token': { cookie: 'accessToken=' },
    'a refresh token': { cookie: `accessToken=${kept.refreshToken}` },
    'a changed token': { cookie: `accessToken=${header}.${payload}.${signature.slice(0, -4)}AAAA` },
    'a token under another name': { cookie: `xaccessToken=${kept.accessToken}` },
  })) {
    assert.equal((await ask('/', headers)).status, 401, what);
  }
  assert.equal((await ask('/auth/verify', {})).status, 404, 'what nginx asks is not for browsers');
  assert.equal((await ask('/auth/page.html', {})).status, 404);
  assert.equal(seen.length, reached, 'the application saw none of them');
  assert.ok(reached > before);
  const through = await ask('/', { cookie: `accessToken=${kept.accessToken}`, 'x-subject': 'admin' });
  assert.equal(through.status, 200);
  assert.notEqual(seen.at(-1)['x-subject'], 'admin', 'what a browser says of itself is not passed on');
  await context.close();
});

test('whoever is signed out does not pass with a kept token', async () => {
  const { context, page } = await signedIn('/', 'alice');
  const { value } = (await context.cookies(origin)).find((one) => one.name === 'accessToken');
  assert.equal((await ask('/', { cookie: `accessToken=${value}` })).status, 200);
  assert.equal(await page.evaluate(async () => (await fetch('/api/svc/v1/oauth2/logout', { method: 'POST' })).status), 204);
  const reached = seen.length;
  assert.equal((await ask('/', { cookie: `accessToken=${value}` })).status, 401);
  assert.equal(seen.length, reached);
  await context.close();
});
