// The examples of docs/INTEGRATE.md that need no browser with scripts: an Express application, one on axum, an API on axum,
// a Worker.
// Each runs from its own files, beside a broker that its own deployment file was applied to.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { broker } from './broker.mjs';
import { examples, freePort, Running, secret, tokens } from './example.mjs';
import { PlainBrowser } from './plain-browser.mjs';

const running = new Running();
after(() => running.stop());

/** Signs in at an application on `port`, from its own link to its own page. */
async function signIn(origin, user) {
  const browser = new PlainBrowser();
  assert.match((await browser.send(`${origin}/`)).body, /Sign in/);
  const back = await browser.walk(`${origin}/sign-in`, `${origin}/callback`, user);
  return { browser, back };
}

/** What both applications have to keep out. */
async function keepsOut(origin) {
  const { browser, back } = await signIn(origin, 'alice');
  const stranger = await new PlainBrowser().send(back.href);
  assert.equal(stranger.status, 400, 'an answer in a browser that has not asked');
  const swapped = new URL(back);
  swapped.searchParams.set('state', 'another');
  const forged = await signIn(origin, 'bob');
  assert.equal((await forged.browser.send(swapped.href)).status, 400, 'an answer to another question');
  assert.match((await forged.browser.send(`${origin}/`)).body, /Sign in/);
  assert.equal((await browser.send(back.href)).status, 302 + (await isAxum(origin)));
  assert.equal((await browser.send(back.href)).status, 400, 'a second time');
}

/** axum redirects by 303, Express by 302. */
async function isAxum(origin) {
  const answer = await fetch(`${origin}/`);
  return answer.headers.has('x-powered-by') ? 0 : 1;
}

test('an Express application signs people in and out', async () => {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  await running.apply('express/deployment.toml', { 'localhost:3000': `localhost:${port}` });
  const variables = { CLIENT_SECRET: secret, SESSION_SECRET: 'seals-the-cookies-of-the-example', PORT: String(port) };
  await running.node('express/app.mjs', variables, `${origin}/`);
  const { browser, back } = await signIn(origin, 'alice');
  assert.equal((await browser.send(back.href)).location, `${origin}/`);
  const person = JSON.parse((await browser.send(`${origin}/`)).body);
  assert.equal(person.email, 'alice@example.test');
  assert.equal(person.tenant, 'acme');
  const signedOut = await browser.send(`${origin}/sign-out`, {});
  assert.equal(signedOut.status, 303);
  assert.equal((await browser.walk(signedOut.location, `${origin}/`)).href, `${origin}/`);
  assert.match((await browser.send(`${origin}/`)).body, /Sign in/);
  await keepsOut(origin);
});

test('an application on axum signs people in', async () => {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  await running.apply('axum/deployment.toml', { 'localhost:3000': `localhost:${port}` });
  const variables = { ISSUER: broker, CLIENT_SECRET: secret, PORT: String(port) };
  await running.start(process.env.VESTIBULE_EXAMPLE_AXUM, [], variables, `${origin}/`);
  const { browser, back } = await signIn(origin, 'alice');
  assert.equal((await browser.send(back.href)).location, `${origin}/`);
  assert.match((await browser.send(`${origin}/`)).body, /^\S+ alice@example\.test$/);
  await keepsOut(origin);
});

/**
 * An access token of the application `express` whose refresh token it gave back: one for all tests, made before any of them
 * looks at the list, for the broker shows a list for some seconds.
 */
const revoked = (() => {
  const make = async () => {
    const { access_token, refresh_token } = await tokens('express', 'http://localhost:9/callback');
    const gone = await fetch(`${broker}/oauth2/revoke`, {
      method: 'POST', body: new URLSearchParams({ token: refresh_token }),
      headers: { authorization: `Basic ${Buffer.from(`express:${secret}`).toString('base64')}` },
    });
    assert.equal(gone.status, 200);
    return access_token;
  };
  let made;
  return () => (made ??= make());
})();

test('a Worker takes the access tokens of its application and nothing else', async () => {
  const addresses = { 'localhost:3000': 'localhost:9' };
  await running.apply('express/deployment.toml', addresses);
  await running.apply('axum/deployment.toml', addresses);
  const bundle = await build({
    entryPoints: [`${examples}worker/worker.mjs`], bundle: true, format: 'esm', write: false, conditions: ['workerd'],
  });
  const worker = new Miniflare({
    modules: true, script: bundle.outputFiles[0].text, compatibilityDate: '2026-04-01', cf: false,
    bindings: { ISSUER: broker, CLIENT_ID: 'express' },
  });
  try {
    const url = await worker.ready;
    const ask = (token) => fetch(url, token && { headers: { authorization: `Bearer ${token}` } });
    const own = await tokens('express', 'http://localhost:9/callback');
    assert.equal((await ask(await revoked())).status, 401, 'a token that was revoked');
    const answer = await ask(own.access_token);
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { sub: own.claims().sub, tenant: 'acme' });
    const other = await tokens('axum', 'http://localhost:9/callback');
    const [header, payload, signature] = own.access_token.split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    for (const [what, token] of Object.entries({
      'no token': undefined,
      'an ID token': own.id_token,
      'a refresh token': own.refresh_token,
      'another application\'s token': other.access_token,
      'a changed signature': `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      'no signature': `${none}.${payload}.`,
    })) {
      const refused = await ask(token);
      assert.equal(refused.status, 401, what);
      assert.match(refused.headers.get('www-authenticate'), /^Bearer/, what);
    }
  } finally {
    await worker.dispose();
  }
});

test('an API on axum takes the access tokens of its application until they are revoked', async () => {
  await running.apply('express/deployment.toml', { 'localhost:3000': 'localhost:9' });
  await running.apply('axum/deployment.toml', { 'localhost:3000': 'localhost:9' });
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const variables = { ISSUER: broker, CLIENT_ID: 'express', PORT: String(port) };
  await running.start(process.env.VESTIBULE_EXAMPLE_API, [], variables, `${origin}/healthz`);
  const ask = (path, token) => fetch(`${origin}${path}`, token && { headers: { authorization: `Bearer ${token}` } });
  const callback = 'http://localhost:9/callback';
  const [own, other] = [await tokens('express', callback), await tokens('axum', callback)];
  for (const [what, token] of Object.entries({
    'a token that was revoked': await revoked(),
    'no token': undefined,
    'an ID token': own.id_token,
    'a refresh token': own.refresh_token,
    'another application\'s token': other.access_token,
  })) {
    for (const path of ['/', '/reports']) {
      const refused = await ask(path, token);
      assert.equal(refused.status, 401, `${what} at ${path}`);
      assert.match(refused.headers.get('www-authenticate'), /^Bearer/, what);
    }
  }
  const answer = await ask('/', own.access_token);
  assert.deepEqual(await answer.json(), { sub: own.claims().sub, tenant: 'acme' });
  assert.match(await (await ask('/reports', own.access_token)).text(), /^The reports of acme/);
});

test('the document quotes the examples as they are', () => {
  const text = readFileSync(new URL('../../docs/INTEGRATE.md', import.meta.url), 'utf8');
  const quoted = [...text.matchAll(/<!-- (examples\/\S+) -->\n```\w*\n([\s\S]*?)```/g)];
  assert.ok(quoted.length >= 5, `${quoted.length} quotations`);
  for (const [, path, lines] of quoted) {
    const file = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    assert.ok(file.includes(lines), `${path} does not hold:\n${lines}`);
  }
  for (const [, path] of text.matchAll(/\]\(\.\.\/(examples\/[^)]+)\)/g)) {
    assert.ok(readFileSync(new URL(`../../${path}`, import.meta.url)), path);
  }
});
