// Logins of people at SimpleSAMLphp: a tenant, an application of its own, and a browser without scripts that fills in the form
// there and posts what pages would post by themselves.
import assert from 'node:assert/strict';
import { ask, broker, put } from './broker.mjs';
import { PlainBrowser } from './plain-browser.mjs';

// RFC 7636, appendix B.
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
export const secret = 'the-application-at-the-broker-000000';

/** Where applications are. Nothing listens there: a walk ends when it is led to one. */
const applications = 'https://app.example/';

/**
 * A tenant whose people sign in at `idp`, which knows us by the metadata that we publish and answers in this shape. `saml` has
 * members of the connection's settings beside the provider's metadata, `more` members of the connection.
 */
export async function putTenant(idp, tenant, { saml = {}, shape = {}, more = {} } = {}) {
  await put(`tenants/${tenant}`, { name: `Tenant ${tenant}` });
  await put(`tenants/${tenant}/mapping`, { rules: [{ claim: 'groups', value: '*', grants: 'team' }] });
  const described = 'single_sign_on' in saml || 'metadata_url' in saml ? {} : { metadata: await idp.metadata() };
  const made = await put(`tenants/${tenant}/connections/ssp`, {
    name: 'SimpleSAMLphp', protocol: 'saml', enabled: true, saml: { idp_entity_id: idp.entityId, ...described, ...saml }, ...more,
  });
  const published = await fetch(made.saml.register.metadata_url);
  assert.equal(published.status, 200);
  const metadata = await published.text();
  idp.trust(tenant, metadata, shape);
  await putApplication(tenant);
  return { register: made.saml.register, metadata };
}

/** An application of the tenant, of its name unless another is given. */
export function putApplication(tenant, id = tenant) {
  return put(`clients/${id}`, {
    name: id, tenants: [tenant], redirect_uris: [`${applications}${id}`], initiate_login_uri: `${applications}${id}/start`,
    post_logout_redirect_uris: [`${applications}${id}/bye`], client_auth: 'client_secret_post', client_secret: secret,
    id_token_claims: ['email', 'given_name', 'family_name', 'teams'],
  });
}

/** An authorization request of an application. */
export function authorization(tenant, id = tenant, more = {}) {
  return `${broker}/oauth2/authorize?${new URLSearchParams({
    client_id: id, redirect_uri: `${applications}${id}`, response_type: 'code', scope: 'openid email profile', state: 'mine',
    tenant, code_challenge: challenge, code_challenge_method: 'S256', ...more,
  })}`;
}

/** The fields of the first form of a page, and where it goes. */
function formOf(body) {
  const text = (value) => value.replaceAll('&#x2B;', '+').replaceAll('&#43;', '+').replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'").replaceAll('&#x27;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  const [, attributes, inside] = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(body) ?? [];
  if (attributes === undefined) return undefined;
  const attribute = (tag, name) => text(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '');
  const inputs = [...inside.matchAll(/<input[^>]*>/g)].map(([tag]) => [attribute(tag, 'name'), attribute(tag, 'value')]);
  return { action: attribute(attributes, 'action'), fields: Object.fromEntries(inputs.filter(([name]) => name)) };
}

/**
 * Follows where `start` leads: through redirects, pages that post a message, and the provider's form, where `user` signs in.
 * It ends at an application or on a page: its address, status and text, the messages that were posted on the way, and whether
 * the form was there.
 */
export async function walk(browser, start, user) {
  const seen = { posted: [], asked: false };
  let [page, form] = [start, undefined];
  for (let step = 0; step < 20; step += 1) {
    if (page.startsWith(applications)) return { ...seen, arrived: new URL(page) };
    const answer = await browser.send(page, form);
    const next = formOf(answer.body);
    const message = next && ['SAMLRequest', 'SAMLResponse'].find((name) => name in next.fields);
    if (answer.location) {
      [page, form] = [answer.location, undefined];
    } else if (message) {
      seen.posted.push({ to: next.action, message, text: Buffer.from(next.fields[message], 'base64').toString() });
      [page, form] = [next.action, next.fields];
    } else if (next && 'username' in next.fields && user && !seen.asked) {
      seen.asked = true;
      form = { ...next.fields, username: user, password: 'any' };
    } else {
      return { ...seen, url: page, status: answer.status, body: answer.body };
    }
  }
  throw new Error(`${start} leads to no end`);
}

/** What an application gets for the code of an authorization response. */
export async function redeem(arrived, id, redirect_uri = `${applications}${id}`) {
  const code = arrived.searchParams.get('code');
  assert.ok(code, arrived.href);
  const answer = await token(id, { grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier });
  const tokens = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(tokens));
  return { ...tokens, claims: JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url')) };
}

/** A request of an application to our token endpoint. */
export function token(id, form) {
  const body = new URLSearchParams({ ...form, client_id: id, client_secret: secret });
  return fetch(`${broker}/oauth2/token`, { method: 'POST', body });
}

/** Signs somebody in at an application of the tenant: what it got, and the walk there. */
export async function signIn(tenant, user, { browser = new PlainBrowser(), id = tenant } = {}) {
  const walked = await walk(browser, authorization(tenant, id), user);
  assert.ok(walked.arrived, `${tenant}: ${walked.url} answered ${walked.status}: ${walked.body?.replace(/<style>[^]*<\/style>/, "")}`);
  return { ...walked, ...await redeem(walked.arrived, id) };
}

/** A test login of the tenant's connection: what its administrator is told. */
export async function tried(tenant, user) {
  const at = `/tenants/${tenant}/connections/ssp`;
  const made = await (await ask('POST', `${at}/test-login`)).json();
  await walk(new PlainBrowser(), made.url, user);
  return (await ask('GET', `${at}/test-logins/${made.id}`)).json();
}
