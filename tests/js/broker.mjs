// The broker under test as its administrator sees it. `cargo xtask test` says where it is.

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this through \`cargo xtask test\``);
  return value;
}

/** The broker's origin. */
export const broker = needed('VESTIBULE_TEST_URL');

/** Which runtime it is on: native, workerd or lambda. */
export const runtime = needed('VESTIBULE_TEST_RUNTIME');

/** The issuer of the identity provider (`op.mjs`). */
export const idp = needed('VESTIBULE_TEST_IDP');

/** Creates or replaces one object of the admin API. */
export function put(path, object) {
  return send('PUT', path, object);
}

/** Does something with an object of the admin API. */
export function post(path, object) {
  return send('POST', path, object);
}

async function send(method, path, object) {
  const response = await ask(method, `/${path}`, object);
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Any request to the admin API, as the deployment's administrator unless the headers say otherwise. */
export function ask(method, path, object, headers = {}) {
  return fetch(`${broker}/admin/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${needed('VESTIBULE_ADMIN_TOKEN')}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: object === undefined ? undefined : JSON.stringify(object),
  });
}

/** A connection with the identity provider, with these members too. */
export function connection(members) {
  return {
    name: 'The test identity provider',
    protocol: 'oidc',
    issuer: idp,
    client_id: needed('VESTIBULE_TEST_IDP_CLIENT'),
    client_secret: needed('VESTIBULE_TEST_IDP_SECRET'),
    client_auth: 'client_secret_basic',
    scopes: ['openid', 'email', 'profile'],
    enabled: true,
    ...members,
  };
}

/** A tenant whose people sign in at the identity provider, by a connection with these settings. */
export async function putTenant(tenant, settings = {}) {
  await put(`tenants/${tenant}`, { name: `Tenant ${tenant}` });
  await put(`tenants/${tenant}/connections/op`, connection(settings));
}
