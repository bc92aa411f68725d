// The page's script: renews the tokens if there is something to renew, finishes a sign-in that comes back, and otherwise
// waits for the button. No token is ever in its hands: all of them are in HttpOnly cookies.
const relay = '/api/svc/v1/oauth2';
const tenantName = 'acme';
const redirectURI = `${location.origin}/auth/callback`;
const state = document.getElementById('state');

async function begin() {
  const back = location.pathname === '/auth/callback' ? '/' : location.pathname + location.search;
  sessionStorage.setItem('back', back);
  const query = new URLSearchParams({ tenantName, controlPlaneURL: location.origin, redirectURL: redirectURI });
  const reply = await fetch(`${relay}/authorize?${query}`);
  if (!reply.ok) return say('Signing in does not work right now.');
  location.assign((await reply.json()).authorizationEndpoint);
}

async function finish(answer) {
  const reply = await call('token', {
    tenantName, redirectURI, grantType: 'authorization_code', code: answer.get('code'), state: answer.get('state'),
  });
  if (reply.ok) location.replace(sessionStorage.getItem('back') ?? '/');
  else say('You are not signed in. Try again.');
}

function call(path, body) {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${relay}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

function say(text) {
  state.textContent = text;
}

document.getElementById('sign-in').addEventListener('click', begin);
const answer = new URLSearchParams(location.search);
if (location.pathname === '/auth/callback') {
  if (answer.has('code')) finish(answer);
  else say('You are not signed in. Try again.');
} else if ((await call('refresh', {})).ok) {
  location.reload();
} else {
  say('You need to sign in to see this page.');
}
