// The identity provider that the black-box tests sign in at: the certified npm `oidc-provider`, with a sign-in page of
// two fields and a few levers. Nothing of it ships.
//
//   PORT=9101 CLIENTS='[{"client_id":…}]' node tests/js/op.mjs
//
// Sign in: follow /auth to /interaction/<id>, POST username and password (any) as a form there; consent is given at
// once. Users: alice, bob, mallory (claims alice's e-mail address, unverified).
// Levers, on the same port, any method:
//   /ctl/user    JSON {"id":"alice","disabled":true,…}: changes or adds a user; a disabled one is refused everywhere
//   /ctl/rotate  ?mode=add (a new key signs, the old stay) | swap (all new) | drop (only the newest stays)
//   /ctl/fault   ?name=token_500|jwks_500|userinfo_500|wrong_issuer&n=2: the next n answers are wrong
//   /ctl/auto    ?on=1: whoever `login_hint` names is signed in without a page (load tests)
import './clock.mjs';
import { randomUUID, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const port = Number(process.env.PORT ?? 9101);
const issuer = `http://127.0.0.1:${port}`;
const clients = JSON.parse(process.env.CLIENTS ?? '[]');

const users = new Map([
  ['alice', { name: 'Alice Liddell', email: 'alice@example.test', email_verified: true }],
  ['bob', { name: 'Bob Cratchit', email: 'bob@example.test', email_verified: true }],
  ['mallory', { name: 'Mallory', email: 'alice@example.test', email_verified: false }],
]);
const faults = new Map();
let signInWithoutPage = false;

function newKey(alg) {
  const pair = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...pair.privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID() };
}

// Sessions, grants and tokens outlive a rotation of keys, which needs a new Provider.
const records = new Map();
class Memory {
  constructor(kind) {
    this.prefix = `${kind}/`;
  }

  async upsert(id, payload, seconds) {
    records.set(this.prefix + id, { payload, until: seconds ? Date.now() + seconds * 1000 : Infinity });
  }

  async find(id) {
    const record = records.get(this.prefix + id);
    return record && record.until > Date.now() ? record.payload : undefined;
  }

  async findByUid(uid) {
    return this.first((payload) => payload.uid === uid);
  }

  async findByUserCode(code) {
    return this.first((payload) => payload.userCode === code);
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    records.delete(this.prefix + id);
  }

  async revokeByGrantId(grant) {
    for (const [key, { payload }] of records) {
      if (key.startsWith(this.prefix) && payload.grantId === grant) records.delete(key);
    }
  }

  first(matches) {
    for (const [key, { payload }] of records) {
      if (key.startsWith(this.prefix) && matches(payload)) return payload;
    }
    return undefined;
  }
}

let keys = [newKey('RS256'), newKey('ES256')];
let provider = build();
let answer = provider.callback();

function build() {
  return new Provider(issuer, {
    adapter: Memory,
    clients,
    jwks: { keys },
    cookies: { keys: ['one machine, one run'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    // E-mail and name are in the ID token too, as the large providers have it.
    conformIdTokenClaims: false,
    // The broker's keys are on loopback, where the provider's own rules would not go.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
    features: {
      devInteractions: { enabled: false }, revocation: { enabled: true }, introspection: { enabled: true },
      requestObjects: { enabled: true },
    },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 86400, IdToken: 300, Interaction: 600, RefreshToken: 86400, Session: 3600 },
    findAccount: async (_context, id) => {
      const user = users.get(id);
      if (!user || user.disabled) return undefined;
      const { disabled, ...claims } = user;
      return { accountId: id, claims: async () => ({ sub: id, ...claims }) };
    },
  });
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function send(response, status, type, text) {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(text);
}

const json = (response, value, status = 200) => send(response, status, 'application/json', JSON.stringify(value));

/** One answer ends both prompts: who it is, and that the client may have what it asked for. */
async function finish(request, response, account, { params }) {
  const grant = new provider.Grant({ accountId: account, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId: account }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

async function interaction(request, response) {
  const details = await provider.interactionDetails(request, response);
  const known = (id) => users.has(id) && !users.get(id).disabled;
  if (request.method === 'POST') {
    const form = new URLSearchParams(await body(request));
    const account = form.get('username');
    if (known(account)) return finish(request, response, account, details);
    return send(response, 403, 'text/html; charset=utf-8', page('That user may not sign in.'));
  }
  // A second sign-in in one browser: the session says who it is, only consent is asked for.
  if (details.prompt.name === 'consent') return finish(request, response, details.session.accountId, details);
  const hint = details.params.login_hint;
  if (signInWithoutPage && known(hint)) return finish(request, response, hint, details);
  return send(response, 200, 'text/html; charset=utf-8', page('Sign in'));
}

const page = (heading) => `<!doctype html><html lang="en"><title>Test identity provider</title><h1>${heading}</h1>
<form method="post"><label>User <input name="username"></label> <label>Password <input name="password" type="password">
</label> <button>Sign in</button></form></html>`;

async function control(name, query, request, response) {
  switch (name) {
    case 'user': {
      const { id, ...changes } = JSON.parse(await body(request));
      users.set(id, { ...users.get(id), ...changes });
      return json(response, { id, ...users.get(id) });
    }
    case 'rotate': {
      const mode = query.get('mode') ?? 'add';
      if (mode === 'add') keys = [newKey('RS256'), ...keys];
      if (mode === 'swap') keys = [newKey('RS256'), newKey('ES256')];
      if (mode === 'drop') keys = keys.slice(0, 1);
      provider = build();
      answer = provider.callback();
      return json(response, { kids: keys.map((key) => key.kid) });
    }
    case 'fault':
      faults.set(query.get('name'), Number(query.get('n') ?? 1));
      return json(response, Object.fromEntries(faults));
    case 'auto':
      signInWithoutPage = query.get('on') !== '0';
      return json(response, { auto: signInWithoutPage });
    default:
      return json(response, { error: 'no such lever' }, 404);
  }
}

function hit(name) {
  const left = faults.get(name) ?? 0;
  if (left > 0) faults.set(name, left - 1);
  return left > 0;
}

async function route(request, response) {
  const { pathname, searchParams } = new URL(request.url, issuer);
  if (pathname.startsWith('/ctl/')) return control(pathname.slice(5), searchParams, request, response);
  if (pathname.startsWith('/interaction/')) return interaction(request, response);
  if (pathname === '/token' && hit('token_500')) return json(response, { error: 'server_error' }, 500);
  if (pathname === '/jwks' && hit('jwks_500')) return json(response, {}, 500);
  if (pathname === '/me' && hit('userinfo_500')) return json(response, {}, 500);
  if (pathname === '/.well-known/openid-configuration' && hit('wrong_issuer')) {
    const endpoint = (name) => `${issuer}/${name}`;
    return json(response, {
      issuer: 'http://127.0.0.1:1',
      authorization_endpoint: endpoint('auth'),
      token_endpoint: endpoint('token'),
      jwks_uri: endpoint('jwks'),
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  }
  return answer(request, response);
}

createServer((request, response) => {
  route(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) json(response, { error: String(error.message) }, 500);
  });
}).listen(port, '127.0.0.1', () => console.log(`identity provider on ${issuer}`));
