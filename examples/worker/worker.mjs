// An API on Cloudflare Workers that takes Vestibule's access tokens. It asks nobody for each request: the published keys
// verify a token, its claims say for which application it is, and a list, fetched once a minute, which ones were revoked.
import { TokenError, Verifier } from '../../shared/verify-js/verify.ts';

// Kept by the isolate, with the keys and lists that it fetched.
let verifier;

export default {
  async fetch(request, env) {
    verifier ??= new Verifier({ issuer: env.ISSUER, audience: env.CLIENT_ID });
    try {
      const { sub, tenant } = await verifier.verifyRequest(request);
      return Response.json({ sub, tenant });
    } catch (error) {
      if (error instanceof TokenError) return error.response();
      throw error;
    }
  },
};
