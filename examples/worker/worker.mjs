// An API on Cloudflare Workers that takes Vestibule's access tokens. It asks nobody for each request: the published keys
// verify a token, and its claims say for which application it is and whose customer the person is.
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

// Kept by the isolate: fetched once, and again for a key that is not known.
let keys;

export default {
  async fetch(request, env) {
    keys ??= createRemoteJWKSet(new URL(`${env.ISSUER}/oauth2/jwks`));
    const [, token] = /^Bearer ([^\s]+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
    if (!token) return refused('Bearer');
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: env.ISSUER,
        // The application whose tokens count: another one's are as well signed.
        audience: env.CLIENT_ID,
        // An ID token is none (RFC 9068).
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256', 'EdDSA'],
        requiredClaims: ['sub', 'tenant', 'exp'],
      });
      return Response.json({ sub: payload.sub, tenant: payload.tenant });
    } catch (error) {
      // The keys cannot be had: nobody's token is wrong for that.
      const outage = error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError);
      return outage ? new Response('try again\n', { status: 503 }) : refused('Bearer error="invalid_token"');
    }
  },
};

function refused(challenge) {
  return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } });
}
