// The gate: nginx shows it each request, it says whether the access token in the cookie is good and whose it is.
//
//   ISSUER=https://sso.example.com CLIENT_ID=nginx node gate.mjs
import { createServer } from 'node:http';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const { ISSUER, CLIENT_ID, PORT = '3001' } = process.env;
const keys = createRemoteJWKSet(new URL(`${ISSUER}/oauth2/jwks`));
// Another application's tokens are as well signed, and an ID token is no access token.
const rules = { issuer: ISSUER, audience: CLIENT_ID, typ: 'at+jwt', requiredClaims: ['sub', 'tenant', 'exp'] };

async function check(request) {
  const [, token] = /(?:^|; )accessToken=([^;]+)/.exec(request.headers.cookie ?? '') ?? [];
  if (!token) return [401];
  try {
    const { payload } = await jwtVerify(token, keys, rules);
    return [204, { 'x-subject': payload.sub, 'x-tenant': payload.tenant }];
  } catch (error) {
    const outage = error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError);
    return [outage ? 503 : 401];
  }
}

createServer(async (request, response) => response.writeHead(...await check(request)).end())
  .listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
