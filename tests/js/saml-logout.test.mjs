// Logout with a real identity provider, Debian's SimpleSAMLphp, which wants everything about it signed: begun here and there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { broker } from './broker.mjs';
import { PlainBrowser } from './plain-browser.mjs';
import { SimpleSaml } from './saml.mjs';
import { putTenant, signIn, token, walk } from './saml-login.mjs';

let idp;

before(async () => {
  idp = await SimpleSaml.start();
});

after(() => idp?.stop());

/** Whether an application's refresh token still counts. */
async function lives(id, { refresh_token }) {
  const answer = await token(id, { grant_type: 'refresh_token', refresh_token });
  if (answer.ok) return true;
  assert.equal((await answer.json()).error, 'invalid_grant');
  return false;
}

/** Metadata that offers single logout by this binding alone. */
function onlyBy(binding, metadata) {
  const others = new RegExp(`<md:SingleLogoutService (?![^>]*HTTP-${binding}")[^>]*>(</md:SingleLogoutService>)?`, 'g');
  const left = metadata.replaceAll(others, '');
  assert.equal(left.match(/<md:SingleLogoutService /g)?.length, 1);
  return left;
}

/** The messages that pages posted on a walk. */
const posted = (walked) => walked.posted.map(({ message }) => message);

for (const binding of ['Redirect', 'POST']) {
  test(`whoever signs out here is signed out there, and comes back: by ${binding}`, async () => {
    const tenant = `saml-out-here-${binding.toLowerCase()}`;
    const saml = { metadata: onlyBy(binding, await idp.metadata()) };
    const { metadata } = await putTenant(idp, tenant, { saml, more: { logout: { at_provider: true } } });
    idp.trust(tenant, onlyBy(binding, metadata));
    const browser = new PlainBrowser();
    const got = await signIn(tenant, 'alice', { browser });
    const query = new URLSearchParams({
      id_token_hint: got.id_token, post_logout_redirect_uri: `https://app.example/${tenant}/bye`, state: 'a b&c',
    });
    const back = await walk(browser, `${broker}/oauth2/logout?${query}`);
    assert.equal(back.arrived?.href, `https://app.example/${tenant}/bye?state=a+b%26c`, back.body);
    assert.deepEqual(posted(back), binding === 'POST' ? ['SAMLRequest', 'SAMLResponse'] : []);
    assert.equal(await lives(tenant, got), false);
    // The provider asks for the password again.
    assert.ok((await signIn(tenant, 'alice', { browser })).asked);
  });

  test(`whoever signs out at the provider is signed out here: by ${binding}`, async () => {
    const tenant = `saml-out-there-${binding.toLowerCase()}`;
    const saml = { metadata: onlyBy(binding, await idp.metadata()) };
    const { metadata } = await putTenant(idp, tenant, { saml });
    idp.trust(tenant, onlyBy(binding, metadata));
    const [browser, elsewhere] = [new PlainBrowser(), new PlainBrowser()];
    const [got, other] = [await signIn(tenant, 'alice', { browser }), await signIn(tenant, 'alice', { browser: elsewhere })];
    const ended = await walk(browser, signOut());
    assert.equal(ended.url, idp.metadataUrl, 'the provider took our answer');
    assert.deepEqual(posted(ended), binding === 'POST' ? ['SAMLRequest', 'SAMLResponse'] : []);
    assert.equal(await lives(tenant, got), false);
    assert.equal(await lives(tenant, other), true, 'another session of the same person goes on');
    assert.ok((await signIn(tenant, 'alice', { browser })).asked, 'neither session is left in this browser');
  });
}

/** Where somebody signs out at the provider, which then shows its metadata. */
function signOut() {
  return `${idp.origin}/saml2/idp/SingleLogoutService.php?${new URLSearchParams({ ReturnTo: idp.metadataUrl })}`;
}

test('a logout that is not the provider\'s ends nothing', async () => {
  const tenant = 'saml-out-foreign';
  await putTenant(idp, tenant);
  const browser = new PlainBrowser();
  const got = await signIn(tenant, 'alice', { browser });
  // Whoever has another key is somebody else, whatever it knows of the session.
  idp.changeKey();
  const ended = await walk(browser, signOut());
  assert.ok(ended.url.startsWith(`${broker}/saml/${tenant}/ssp/slo`), ended.url);
  assert.ok(ended.status >= 400, `${ended.status}`);
  assert.equal(await lives(tenant, got), true);
});
