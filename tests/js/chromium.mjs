// How the tests start Chromium, and what they want of our cookies in it.
import assert from 'node:assert/strict';

/** For `chromium.launch` and `chromium.launchPersistentContext`. */
export const chromiumOptions = {
  executablePath: process.env.VESTIBULE_CHROMIUM,
  headless: true,
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update',
    // Nothing outside of this machine, whatever a page asks for.
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost',
  ],
};

/** A cookie that only the broker's own host gets, never a script. */
export function sealed(cookie) {
  assert.ok(cookie, 'the cookie is there');
  assert.match(cookie.name, /^__Host-/);
  assert.equal(cookie.secure, true);
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, 'Lax');
  assert.equal(cookie.path, '/');
  assert.equal(cookie.domain, 'localhost');
}
