// The examples behind Caddy, Traefik and Envoy: the broker is asked before a request is passed on, and says who it is.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { broker } from './broker.mjs';
import { freePort, Running, secret, tokens } from './example.mjs';

const callback = 'http://localhost:9/callback';
const asked = new URL(broker.replace('localhost', '127.0.0.1'));
const running = new Running();
const seen = [];
const programs = process.env.VESTIBULE_PROXIES;
let application;

before(async () => {
  application = createServer((incoming, response) => {
    seen.push(incoming);
    response.end();
  });
  await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
  for (const example of ['express', 'axum']) {
    await running.apply(`${example}/deployment.toml`, { 'localhost:3000': 'localhost:9' });
  }
});

after(() => {
  running.stop();
  application?.close();
});

const own = (port) => ({ 'client_id=crm': 'client_id=express', 'localhost:3002': `127.0.0.1:${port}` });

/** Starts a proxy from its example, and says where it is. */
const proxies = {
  async caddy(origin, port) {
    const conf = running.copy('caddy/Caddyfile', {
      ...own(port), 'crm.example.com': origin, 'https://sso.example.com': asked.origin,
    });
    // No port for its own administration, which something else may have.
    writeFileSync(conf, `{\n\tadmin off\n}\n${readFileSync(conf, 'utf8')}`);
    return [['run', '--adapter', 'caddyfile', '--config', conf], { XDG_DATA_HOME: running.folder, XDG_CONFIG_HOME: running.folder }];
  },
  async traefik(origin, port) {
    const conf = running.copy('traefik/dynamic.yaml', { ...own(port), 'https://sso.example.com': asked.origin });
    return [[`--entryPoints.web.address=${new URL(origin).host}`, `--providers.file.filename=${conf}`], {}];
  },
  async envoy(origin, port) {
    const conf = running.copy('envoy/envoy.yaml', {
      'client_id=crm': 'client_id=express',
      'port_value: 8080': `port_value: ${new URL(origin).port}`,
      '"localhost", port_value: 3002': `"127.0.0.1", port_value: ${port}`,
      'https://sso.example.com': asked.origin,
      '"sso.example.com", port_value: 443': `"${asked.hostname}", port_value: ${asked.port}`,
    });
    return [['-c', conf, '--use-dynamic-base-id'], {}];
  },
};

/** One request, and its status; `fetch` would not send some of these headers. */
function ask(url, headers, method = 'GET') {
  return new Promise((resolve, reject) => {
    request(url, { headers, method }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject).end();
  });
}

const bearer = (token) => ({ authorization: `Bearer ${token}` });

/** An access token whose family its application has ended. */
async function revoked() {
  const { access_token, refresh_token } = await tokens('express', callback);
  const gone = await fetch(`${broker}/oauth2/revoke`, {
    method: 'POST', body: new URLSearchParams({ token: refresh_token }),
    headers: { authorization: `Basic ${Buffer.from(`express:${secret}`).toString('base64')}` },
  });
  assert.equal(gone.status, 200);
  return access_token;
}

for (const [name, prepare] of Object.entries(proxies)) {
  test(`behind ${name}, whoever has a token of the application passes, and nobody else`, async () => {
    const origin = `http://127.0.0.1:${await freePort()}`;
    const [parameters, variables] = await prepare(origin, application.address().port);
    await running.start(join(programs, name), parameters, variables, `${origin}/`);
    // A proxy may answer before it has read its routes.
    for (let tries = 0; tries < 100 && await ask(`${origin}/`, {}) === 404; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [person, other] = [await tokens('express', callback), await tokens('axum', callback)];
    const lies = { 'x-auth-request-user': 'admin', 'x-auth-request-role': 'admin', 'X-Auth-Request-Session': 'another' };
    for (const method of ['GET', 'POST']) {
      assert.equal(await ask(`${origin}/reports?client_id=axum&role=admin`, { ...bearer(person.access_token), ...lies }, method), 200);
      const { url, headers } = seen.at(-1);
      assert.equal(url, '/reports?client_id=axum&role=admin');
      assert.equal(headers['x-auth-request-user'], person.claims().sub);
      assert.equal(headers['x-auth-request-tenant'], 'acme');
      assert.equal(headers['x-auth-request-role'], undefined, 'what a browser says of itself is not passed on');
      assert.notEqual(headers['x-auth-request-session'], 'another');
    }
    const [header, payload, signature] = person.access_token.split('.');
    const reached = seen.length;
    for (const [what, headers] of Object.entries({
      'nothing': {},
      'headers that the proxy sets': { 'x-auth-request-user': 'admin', 'x-auth-request-tenant': 'acme' },
      'an ID token': bearer(person.id_token),
      'a refresh token': bearer(person.refresh_token),
      'another application\'s token': bearer(other.access_token),
      'a changed token': bearer(`${header}.${payload}.${signature.slice(0, -4)}AAAA`),
      'a token that was revoked': bearer(await revoked()),
    })) {
      assert.equal(await ask(`${origin}/?client_id=axum`, headers), 401, what);
    }
    assert.equal(seen.length, reached, 'the application saw none of them');
  });
}
