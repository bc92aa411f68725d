// The examples of docs/INTEGRATE.md, started as they are: their own files, only with addresses of this run.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as oidc from 'openid-client';
import { broker, connection, idp } from './broker.mjs';
import { PlainBrowser } from './plain-browser.mjs';

const examples = new URL('../../examples/', import.meta.url).pathname;
export const secret = 'the-secret-of-an-example-0123456789';

/** A port that nothing listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** What has to be stopped when the tests are over. */
export class Running {
  #processes = [];
  #folder = mkdtempSync(join(tmpdir(), 'vestibule-examples-'));

  /** A file of an example with these texts in place of others, in a folder of this run. */
  copy(file, replacements) {
    const text = Object.entries(replacements).reduce((all, [from, to]) => {
      if (!all.includes(from)) throw new Error(`${file} does not hold ${from}`);
      return all.replaceAll(from, to);
    }, readFileSync(join(examples, file), 'utf8'));
    const path = join(this.#folder, file.replaceAll('/', '-'));
    writeFileSync(path, text);
    return path;
  }

  /** Applies the tenant `acme`, and an example's deployment file with its addresses replaced. */
  async apply(file, replacements) {
    const { name, issuer, client_id, client_auth } = connection({});
    const tenant = `[tenants.acme]\nname = "Acme"\n[tenants.acme.connections.op]\nname = "${name}"\nprotocol = "oidc"\n`
      + `issuer = "${issuer}"\nclient_id = "${client_id}"\nclient_auth = "${client_auth}"\n`
      + 'client_secret = { env = "IDP_SECRET" }\n';
    const path = this.copy(file, replacements);
    writeFileSync(path, tenant + readFileSync(path, 'utf8'));
    const variables = { IDP_SECRET: process.env.VESTIBULE_TEST_IDP_SECRET, CLIENT_SECRET: secret };
    const done = this.#spawn(process.env.VESTIBULE_BINARY, ['apply', path, '--url', broker], variables);
    const code = await new Promise((resolve) => done.on('exit', resolve));
    if (code !== 0) throw new Error(`${file} cannot be applied: ${done.said}`);
  }

  /** Starts a program and waits until it answers at `address`. */
  async start(program, parameters, variables, address) {
    const started = this.#spawn(program, parameters, variables);
    for (let tries = 0; tries < 300; tries += 1) {
      if (started.exitCode !== null) throw new Error(`${program} ended: ${started.said}`);
      if (await fetch(address, { redirect: 'manual' }).catch(() => undefined)) return started;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${address} does not answer: ${started.said}`);
  }

  /** Starts a script of an example with Node. */
  node(file, variables, address) {
    return this.start(process.execPath, [join(examples, file)], { ISSUER: broker, ...variables }, address);
  }

  stop() {
    for (const one of this.#processes) one.kill('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get folder() {
    return this.#folder;
  }

  #spawn(program, parameters, variables) {
    const started = spawn(program, parameters, { env: { ...process.env, ...variables } });
    started.said = '';
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { started.said += text; });
    }
    this.#processes.push(started);
    return started;
  }
}

/** Tokens of an application, as its server gets them. */
export async function tokens(id, redirectUri) {
  const overHttp = { execute: [oidc.allowInsecureRequests] };
  const config = await oidc.discovery(new URL(broker), id, {}, oidc.ClientSecretBasic(secret), overHttp);
  const verifier = oidc.randomPKCECodeVerifier();
  const start = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri, scope: 'openid email', tenant: 'acme', state: 's',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const end = await new PlainBrowser().walk(start.href, redirectUri, 'alice');
  return oidc.authorizationCodeGrant(config, end, { pkceCodeVerifier: verifier, expectedState: 's', idTokenExpected: true });
}

export { examples, idp };
