// The description of the admin API: valid by OpenAPI 3.1, complete, and kept by a running broker.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import { ask, connection } from './broker.mjs';

const unique = `js-${Date.now().toString(36)}`;
const [tenant, client] = [`${unique}-t`, `${unique}-c`];
let api;
let ajv;

before(async () => {
  const reply = await ask('GET', '/openapi.json');
  assert.equal(reply.status, 200);
  api = await reply.json();
  ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', components: api.components });
});

/** What is documented of a request: the operation and the path with its placeholders. */
function documented(method, path) {
  const parts = path.split('?')[0].split('/');
  const fits = (template) => {
    const names = template.split('/');
    return names.length === parts.length && names.every((name, at) => name.startsWith('{') || name === parts[at]);
  };
  // A path as it stands goes before one with a placeholder.
  const template = Object.keys(api.paths).filter(fits).sort()[0];
  const operation = api.paths[template]?.[method.toLowerCase()];
  assert.ok(operation, `${method} ${path} is documented`);
  return { operation, template };
}

function conforms(schema, value, where) {
  const reference = { $ref: schema.$ref.replace('#/', 'api#/') };
  assert.ok(ajv.validate(reference, value), `${where}: ${ajv.errorsText()} in ${JSON.stringify(value)}`);
}

const seen = new Set();

/** Asks, and holds question and answer against the description. */
async function kept(method, path, expected, body, headers = {}) {
  const { operation, template } = documented(method, path);
  const where = `${method} ${path}`;
  const reply = await ask(method, path, body, headers);
  const text = await reply.text();
  assert.equal(reply.status, expected, `${where}: ${text}`);
  seen.add(`${method} ${template} ${expected}`);
  if (expected < 300 && operation.requestBody) {
    conforms(operation.requestBody.content['application/json'].schema, body, `${where}, the request`);
  }
  let response = operation.responses[expected];
  assert.ok(response, `${where}: ${expected} is documented`);
  if (response.$ref) response = api.components.responses[response.$ref.split('/').at(-1)];
  assert.equal(reply.headers.has('etag'), Boolean(response.headers?.ETag), `${where}: the tag`);
  if (!response.content) {
    assert.equal(text, '', where);
    return null;
  }
  const [type, { schema }] = Object.entries(response.content)[0];
  assert.ok(reply.headers.get('content-type').startsWith(type), where);
  if (type === 'application/x-ndjson') {
    const lines = text.split('\n').filter(Boolean);
    for (const line of lines) conforms(schema, JSON.parse(line), where);
    return lines;
  }
  const answer = JSON.parse(text);
  conforms(schema, answer, where);
  return answer;
}

test('the description is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(api));
  assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
  assert.equal(validator.version, '3.1');
  const ids = Object.values(api.paths).flatMap((path) => Object.values(path).map((operation) => operation.operationId));
  assert.equal(new Set(ids).size, ids.length, 'every operation has a name of its own');
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    assert.ok(ajv.validateSchema(schema), `${name}: ${ajv.errorsText()}`);
  }
});

test('every operation is there, behind a token', async () => {
  for (const [template, path] of Object.entries(api.paths)) {
    for (const method of Object.keys(path)) {
      const named = template.replaceAll(/\{\w+\}/g, 'nobody');
      await kept(method.toUpperCase(), named, 401, undefined, { authorization: 'Bearer nobody' });
    }
  }
});

test('a life of each object goes as described', async () => {
  const at = `/tenants/${tenant}`;
  const plane = `https://${unique}.example`;
  const app = { name: 'App', redirect_uris: [`${plane}/callback`], client_auth: 'none' };
  const objects = [
    [at, { name: 'Acme', logo_url: 'https://img.example/logo.png', colour: '#123456' }],
    [`${at}/connections/op`, connection({ sign_in: { domains: ['corp.example'] }, prompt: ['login'], max_age: 60 })],
    [`${at}/domains/${unique}.example`, {}],
    [`${at}/hosts/${unique}.example`, {}],
    [`/clients/${client}`, { ...app, relay: { control_plane_url: plane } }],
  ];
  for (const [path, body] of objects) {
    await kept('GET', path, 404);
    await kept('PUT', path, 412, body, { 'if-match': '*' });
    await kept('PUT', path, 201, body);
    await kept('PUT', path, 200, body);
    await kept('PUT', path, 400, { ...body, surprise: true });
    await kept('GET', path, 200);
    await kept('DELETE', path, 412, undefined, { 'if-match': '"other"' });
  }
  const lists = ['connections', 'domains', 'hosts', 'invitations', 'users', 'scim-tokens', 'scim-clients'];
  const own = lists.map((list) => `${at}/${list}`);
  for (const list of ['/tenants', '/clients', '/tokens', ...own]) {
    await kept('GET', `${list}?limit=2`, 200);
    await kept('GET', `${list}?limit=0`, 400);
  }
  await kept('POST', `${at}/connections/op/check`, 200, {});
  await kept('POST', `${at}/connections/none/check`, 404);
  await kept('GET', `${at}/connections/op/sync`, 200);
  await kept('GET', `${at}/connections/none/sync`, 404);
  await kept('GET', `${at}/connections/op/sync/held`, 200);
  await kept('POST', `${at}/connections/op/sync/resume`, 409, { held: 'discard' });
  await kept('POST', `${at}/connections/op/sync/resume`, 400, {});
  await kept('POST', `${at}/domains/${unique}.example/verify`, 200, { override_reason: 'a test' });
  await kept('POST', `${at}/domains/none.example/verify`, 404, {});
  for (const [method, body] of [['GET'], ['PUT', { active: false }], ['DELETE']]) {
    await kept(method, `${at}/users/nobody`, 404, body);
  }
  await kept('POST', `${at}/users/nobody/end-sessions`, 404);
  await kept('GET', `${at}/users/nobody/decommission/preview`, 404);
  for (const path of ['sessions', 'connections/op/sessions', 'users/nobody/sessions']) {
    await kept('GET', `${at}/${path}?limit=2`, 200);
    await kept('GET', `${at}/${path}?cursor=*`, 400);
  }
  await kept('GET', `${at}/users/nobody/sessions/none`, 404);
  await kept('DELETE', `${at}/users/nobody/sessions/none`, 404);
  await kept('POST', `${at}/connections/op/end-sessions`, 200);
  await kept('POST', `${at}/end-sessions`, 200);
  await kept('POST', '/tenants/nobody/end-sessions', 404);
  await kept('POST', `${at}/provisioning/preview`, 200, { mode: 'invite_only' });
  await kept('POST', `${at}/provisioning/preview`, 400, {});
  await kept('POST', `${at}/invitations`, 400, { email: 'ada@corp.example' });
  await kept('PUT', at, 200, { ...objects[0][1], provisioning: { mode: 'invite_only' } });
  const body = { email: 'ada@corp.example', teams: ['ops'] };
  const invited = await kept('POST', `${at}/invitations`, 201, body);
  const invitation = `${at}/invitations/${invited.id}`;
  await kept('GET', invitation, 200);
  await kept('POST', `${invitation}/resend`, 200, { expires_in: 60 });
  await kept('POST', `${invitation}/resend`, 412, {}, { 'if-match': '"other"' });
  await kept('POST', `${at}/invitations/nobody/resend`, 404, {});
  await kept('DELETE', invitation, 412, undefined, { 'if-match': '"other"' });
  await kept('DELETE', invitation, 204);
  await kept('GET', `${at}/invitations/nobody`, 404);
  await kept('PUT', at, 200, objects[0][1]);
  await kept('GET', `${at}/webhook-secret`, 404);
  await kept('POST', `${at}/webhook-secret`, 200);
  await kept('POST', `${at}/webhook-secret`, 412, undefined, { 'if-match': '"other"' });
  await kept('GET', `${at}/webhook-secret`, 200);
  const hook = `${at}/webhooks/audit`;
  await kept('GET', hook, 404);
  await kept('PUT', hook, 201, { url: 'https://events.example/hook', events: ['user.created', 'session.ended'] });
  await kept('PUT', hook, 200, { url: 'https://events.example/hook', events: ['user.created'], enabled: false });
  await kept('PUT', hook, 412, { url: 'https://events.example/', events: ['user.created'] }, { 'if-match': '"other"' });
  await kept('PUT', hook, 400, { url: 'http://events.example/', events: [] });
  await kept('GET', hook, 200);
  for (const list of ['webhooks', 'deliveries', 'dead-letters']) await kept('GET', `${at}/${list}`, 200);
  await kept('DELETE', hook, 204);
  await kept('GET', `${at}/dead-letters/none`, 404);
  await kept('DELETE', `${at}/dead-letters/none`, 404);
  await kept('POST', `${at}/dead-letters/none/replay`, 404);
  const tested = await kept('POST', `${at}/connections/op/test-login`, 201);
  await kept('GET', `${at}/connections/op/test-logins/${tested.id}`, 200);
  await kept('GET', `${at}/connections/op/test-logins/none`, 404);
  await kept('POST', `${at}/connections/none/test-login`, 404);
  await directories(at);
  await saml(`${at}/connections/saml`);
  const hr = { id: 'urn:example:hr', name: 'HR', attributes: [{ name: 'badge' }] };
  await kept('GET', `${at}/scim-schemas`, 404);
  await kept('PUT', `${at}/scim-schemas`, 400, { user: [hr], group: [hr] });
  await kept('PUT', `${at}/scim-schemas`, 201, { user: [hr] });
  await kept('GET', `${at}/scim-schemas`, 200);
  await kept('POST', `${at}/reseal`, 200);
  await kept('POST', '/tenants/none/reseal', 404);
  await kept('GET', `${at}/audit`, 200);
  await kept('GET', `${at}/audit?from=today`, 400);
  await kept('GET', `${at}/usage`, 200);
  await kept('GET', `${at}/usage?from=today`, 400);
  await kept('GET', `${at}/audit/export?limit=1`, 200);
  await kept('GET', `${at}/audit/export?limit=0`, 400);
  const mapping = { roles: [{ name: 'admin' }], rules: [{ claim: 'groups', value: '*', grants: 'team' }] };
  await kept('PUT', `${at}/mapping`, 201, mapping);
  await kept('PUT', `${at}/mapping`, 200, mapping);
  await kept('PUT', `${at}/mapping`, 400, { rules: [{}] });
  await kept('GET', `${at}/mapping`, 200);
  await kept('POST', `${at}/mapping/preview`, 200, { connection: 'op', id_token: { groups: ['ops'] }, mapping });
  await kept('POST', `${at}/mapping/preview`, 400, {});
  await kept('POST', `${at}/mapping/dry-run`, 200, { limit: 10 });
  await kept('DELETE', `${at}/mapping`, 204);
  await kept('DELETE', `${at}/mapping`, 404);
  await kept('GET', `${at}/users/nobody/access`, 404);
  await kept('PUT', `${at}/users/nobody/access`, 404, { teams: ['ops'] });
  for (const [path] of objects.reverse()) {
    await kept('DELETE', path, 204);
    await kept('DELETE', path, 404);
  }
});

/** A connection that speaks SAML, at `one`: what is known of its provider, and our keys. */
async function saml(one) {
  const metadata_url = 'https://idp.example/metadata';
  await kept('GET', `${one}/saml-keys`, 404);
  await kept('GET', `${one}/saml-provider`, 404);
  await kept('PUT', one, 201, { name: 'S', protocol: 'saml', saml: { idp_entity_id: 'https://idp.example', metadata_url } });
  await kept('GET', `${one}/saml-provider`, 200);
  await kept('POST', `${one}/saml-provider/refresh`, 200);
  await kept('GET', `${one}/saml-keys`, 200);
  await kept('POST', `${one}/saml-keys`, 400, { usage: 'encryption', algorithm: 'ES256' });
  await kept('POST', `${one}/saml-keys`, 412, { usage: 'signing' }, { 'if-match': '"other"' });
  const { keys } = await kept('POST', `${one}/saml-keys`, 200, { usage: 'signing', algorithm: 'ES256' });
  await kept('POST', `${one}/saml-keys/none/activate`, 404);
  await kept('DELETE', `${one}/saml-keys/${keys[0].id}`, 400);
  await kept('POST', `${one}/saml-keys/${keys[1].id}/activate`, 200);
  await kept('DELETE', `${one}/saml-keys/${keys[0].id}`, 204);
  await kept('DELETE', one, 204);
}

/** Who may speak SCIM to the tenant at `at`. */
async function directories(at) {
  const [tokens, clients] = [`${at}/scim-tokens`, `${at}/scim-clients`];
  await kept('POST', tokens, 400, {});
  const made = await kept('POST', tokens, 201, { name: 'Entra', connection: 'op' });
  await kept('POST', `${tokens}/${made.id}/rotate`, 412, {}, { 'if-match': '"other"' });
  await kept('POST', `${tokens}/${made.id}/rotate`, 200, { overlap_seconds: 60 });
  await kept('POST', `${tokens}/none/rotate`, 404, {});
  await kept('GET', `${tokens}/${made.id}`, 200);
  await kept('DELETE', `${tokens}/${made.id}`, 204);
  await kept('GET', `${tokens}/${made.id}`, 404);
  await kept('POST', clients, 400, { name: 'Entra', client_auth: 'trusted_issuer' });
  const trusted_issuer = { issuer: 'https://idp.example/v2.0', subject: 'object', audience: 'api://scim' };
  const client = await kept('POST', clients, 201, { name: 'Entra', client_auth: 'trusted_issuer', trusted_issuer });
  await kept('GET', `${clients}/${client.client_id}`, 200);
  await kept('DELETE', `${clients}/${client.client_id}`, 204);
  await kept('DELETE', `${clients}/${client.client_id}`, 404);
}

test('the deployment goes as described', async () => {
  await kept('GET', '/audit', 200);
  await kept('GET', '/presets', 200);
  await kept('GET', '/openapi.json', 200);
  await kept('GET', '/signing-keys', 200);
  await kept('PUT', '/signing-keys', 400, { keys: [] });
  await kept('POST', '/signing-keys/rotate', 412, undefined, { 'if-match': '"other"' });
  await kept('DELETE', '/signing-keys/nobody', 404);
  await kept('POST', '/tokens', 400, {});
  const made = await kept('POST', '/tokens', 201, { name: 'little', scopes: [`tenant:${tenant}:read`] });
  const little = { authorization: `Bearer ${made.token}` };
  await kept('GET', '/clients', 403, undefined, little);
  await kept('GET', '/tenants/another', 404, undefined, little);
  await kept('PUT', `/tenants/${tenant}`, 403, { name: 'x' }, little);
  await kept('GET', `/tokens/${made.id}`, 200);
  await kept('DELETE', `/tokens/${made.id}`, 204);
  await kept('GET', `/tokens/${made.id}`, 404);
});

test('every operation was asked', () => {
  for (const [template, path] of Object.entries(api.paths)) {
    for (const method of Object.keys(path).map((method) => method.toUpperCase())) {
      const answers = [...seen].filter((answer) => answer.startsWith(`${method} ${template} `));
      assert.ok(answers.some((answer) => !answer.endsWith(' 401')), `${method} ${template}`);
    }
  }
});
