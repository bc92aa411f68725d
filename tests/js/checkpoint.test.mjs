// The checkpoint in a real browser: the question, its answer, and the page of somebody whom the webhook does not let in.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { broker, post, put, putTenant } from './broker.mjs';
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
  await put('clients/checkpoint-page', {
    name: 'Planning board', redirect_uris: ['https://app.example/'], client_auth: 'none',
  });
});

after(() => browser?.close());

const picture = (name) => pictureOf(page, name);

/** Starts a sign-in of the tenant and proves who the person is. */
async function signIn(tenant) {
  const query = new URLSearchParams({
    client_id: 'checkpoint-page', redirect_uri: 'https://app.example/', response_type: 'code', scope: 'openid', state: 'mine',
    tenant, code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  });
  await context.clearCookies();
  await page.goto(`${broker}/oauth2/authorize?${query}`);
  await page.getByLabel('User').fill('alice');
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** What the application is told when the browser is sent there. */
async function toldTo(act) {
  const there = page.waitForRequest((asked) => asked.url().startsWith('https://app.example/'));
  await act();
  return new URL((await there).url()).searchParams;
}

test('the checkpoint asks why somebody signs in', async () => {
  const reasons = ['Support of a customer', 'Audit & review', 'Something is broken and I have to look at it right now'];
  for (const asks of [{}, { reasons }]) {
    const tenant = `checkpoint-${asks.reasons ? 'reasons' : 'words'}`;
    await putTenant(tenant);
    await put(`tenants/${tenant}`, { name: 'Birch & Sons', checkpoint: { justification: asks } });
    await signIn(tenant);
    await page.waitForURL((url) => url.pathname === '/oauth2/checkpoint');
    sealed((await context.cookies(broker)).find((cookie) => cookie.name.startsWith('__Host-checkpoint-')));
    await picture(tenant);
    if (asks.reasons) {
      await page.getByLabel('Audit & review').check();
    } else {
      // Without the browser's own checks, as an old browser has it.
      await page.locator('form').evaluate((form) => { form.noValidate = true; });
      await page.getByLabel('Why are you signing in?').fill('<b>');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('alert').waitFor();
      assert.equal(await page.getByLabel('Why are you signing in?').inputValue(), '<b>', 'nothing is typed twice');
      await picture('checkpoint-too-short');
      await page.getByLabel('Why are you signing in?').fill('Looking into ticket 4711.');
    }
    assert.ok((await toldTo(() => page.getByRole('button', { name: 'Continue' }).click())).get('code'));
  }
});

test('the checkpoint says why its webhook does not let somebody in', async () => {
  const message = 'Not on <b>Sundays</b>. Ask the desk & come back.';
  const webhook = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ decision: 'refuse', message }));
  });
  await new Promise((resolve) => { webhook.listen(0, '127.0.0.1', resolve); });
  try {
    await putTenant('checkpoint-refuses');
    await post('tenants/checkpoint-refuses/webhook-secret');
    const url = `http://127.0.0.1:${webhook.address().port}/`;
    await put('tenants/checkpoint-refuses', { name: 'Birch & Sons', checkpoint: { webhook: { url } } });
    await signIn('checkpoint-refuses');
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    assert.equal(await page.locator('blockquote').innerText(), message, 'as it was sent, not as markup');
    await picture('checkpoint-refused');
    const told = await toldTo(() => page.getByRole('link', { name: 'Back to Planning board' }).click());
    assert.deepEqual([told.get('error'), told.get('state'), told.get('code')], ['access_denied', 'mine', null]);
    assert.ok(!(await context.cookies(broker)).some((cookie) => cookie.name === '__Host-session'));
  } finally {
    webhook.close();
    webhook.closeAllConnections();
  }
});
