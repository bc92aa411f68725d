// An Express application that signs people in through Vestibule, with the certified library openid-client.
//
//   ISSUER=https://sso.example.com CLIENT_SECRET=… SESSION_SECRET=… ORIGIN=https://crm.example.com node app.mjs
import express from 'express';
import session from 'express-session';
import * as oidc from 'openid-client';

const { ISSUER, CLIENT_SECRET, SESSION_SECRET, PORT = '3000', ORIGIN = `http://localhost:${PORT}` } = process.env;
const redirectUri = `${ORIGIN}/callback`;
// http is for a broker on this machine only.
const onThisMachine = { execute: ISSUER.startsWith('http://localhost:') ? [oidc.allowInsecureRequests] : [] };
const config = await oidc.discovery(new URL(ISSUER), 'express', {}, oidc.ClientSecretBasic(CLIENT_SECRET), onThisMachine);

const app = express();
// Behind a proxy that ends TLS.
app.set('trust proxy', 1);
app.use(session({
  name: 'session',
  secret: SESSION_SECRET,
  resave: false,
  saveUninitialized: false,
  // Kept in memory: a real application names a store here.
  cookie: { httpOnly: true, sameSite: 'lax', secure: ORIGIN.startsWith('https://') },
}));

app.get('/', (request, response) => {
  const { person } = request.session;
  if (!person) return response.send('<a href="/sign-in">Sign in</a>');
  response.json({ sub: person.sub, email: person.email, tenant: person.tenant });
});

app.get('/sign-in', async (request, response) => {
  const login = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier() };
  request.session.login = login;
  response.redirect(oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid email profile',
    // Whose customer signs in, where the application knows; left out, Vestibule asks.
    tenant: 'acme',
    state: login.state,
    nonce: login.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(login.verifier),
    code_challenge_method: 'S256',
  }).href);
});

app.get('/callback', async (request, response) => {
  const { login } = request.session;
  if (!login) return response.status(400).send('This browser has not started to sign in.');
  const tokens = await oidc.authorizationCodeGrant(config, new URL(request.originalUrl, ORIGIN), {
    expectedState: login.state,
    expectedNonce: login.nonce,
    pkceCodeVerifier: login.verifier,
    idTokenExpected: true,
  });
  // A new session for whoever has signed in: nobody else knows its id.
  request.session.regenerate((error) => {
    if (error) throw error;
    request.session.person = tokens.claims();
    request.session.idToken = tokens.id_token;
    response.redirect('/');
  });
});

app.post('/sign-out', (request, response) => {
  const { idToken } = request.session;
  request.session.destroy(() => {
    if (!idToken) return response.redirect('/');
    const there = { id_token_hint: idToken, post_logout_redirect_uri: `${ORIGIN}/` };
    response.redirect(303, oidc.buildEndSessionUrl(config, there).href);
  });
});

app.use((error, request, response, next) => {
  console.error(error.code ?? error.name, error.error ?? '');
  response.status(400).send('The sign-in did not work. <a href="/sign-in">Try again</a>');
});

app.listen(Number(PORT), '127.0.0.1', () => console.log(`ready ${ORIGIN}`));
