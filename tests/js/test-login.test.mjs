// A test login in a real browser: its page, and that nobody is signed in by it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { broker, connection, post, put, putTenant } from './broker.mjs';
import { chromiumOptions, sealed } from './chromium.mjs';
import { pictureOf } from './pictures.mjs';

let browser;
let context;
let page;

before(async () => {
  browser = await chromium.launch(chromiumOptions);
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await putTenant('test-login');
});

after(() => browser?.close());

const path = 'tenants/test-login/connections/op';

test('an administrator sees what a provider says', async () => {
  await put(path, connection({ enabled: false }));
  const made = await post(`${path}/test-login`);
  await page.goto(made.url);
  await page.getByLabel('User').fill('alice');
  sealed((await context.cookies(broker)).find((cookie) => cookie.name.startsWith('__Host-test-')));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'The test login works' }).waitFor();
  for (const source of ['ID token', 'Userinfo']) await page.getByRole('heading', { name: source }).waitFor();
  assert.ok(await page.getByRole('rowheader', { name: 'sub', exact: true }).count() === 2);
  assert.equal(await page.getByRole('rowheader', { name: 'nonce' }).count(), 0);
  await pictureOf(page, 'test-login');
  assert.deepEqual(await context.cookies(broker), []);
  await page.goto(made.url);
  await page.getByRole('heading', { name: 'This test login is over' }).waitFor();
  await pictureOf(page, 'test-login-over');
});

test('what is wrong is said in words', async () => {
  await context.clearCookies();
  await put(path, connection({ client_secret: 'not-the-secret-that-the-provider-knows' }));
  await page.goto((await post(`${path}/test-login`)).url);
  await page.getByLabel('User').fill('alice');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'The test login did not work' }).waitFor();
  await page.getByText('invalid_client').waitFor();
  await pictureOf(page, 'test-login-failed');
});
