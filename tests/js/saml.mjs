// SimpleSAMLphp, as Debian has it, for the identity provider of the tests: one process and one folder a run. It signs in
// alice and bob, whose password is "any", for whoever is trusted. Its settings are in tests/simplesamlphp.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './example.mjs';

const settings = new URL('../simplesamlphp/config', import.meta.url).pathname;

export class SimpleSaml {
  #folder = mkdtempSync(join(tmpdir(), 'vestibule-simplesamlphp-'));
  #process;
  #said = '';

  /** A running one, on another site than the broker: 127.0.0.1 is not localhost. */
  static async start() {
    const idp = new SimpleSaml();
    await idp.#run(await freePort());
    return idp;
  }

  /** Its origin. */
  origin;

  /** Its entity id. */
  get entityId() {
    return `${this.origin}/idp`;
  }

  /** Where it publishes its metadata. */
  get metadataUrl() {
    return `${this.origin}/saml2/idp/metadata.php`;
  }

  /** Its metadata. */
  async metadata() {
    const answer = await fetch(this.metadataUrl);
    if (!answer.ok) throw new Error(`${this.metadataUrl}: ${answer.status} ${await answer.text()}`);
    return answer.text();
  }

  /** Signs people in for the one whose metadata this is from now on, and answers it in the shape that these settings say. */
  trust(name, metadata, shape = {}) {
    writeFileSync(join(this.#folder, 'trusted', `${name}.json`), JSON.stringify(shape));
    writeFileSync(join(this.#folder, 'trusted', `${name}.xml`), metadata);
  }

  /** Has a new key and certificate from now on, in its metadata too. Nobody is told. */
  changeKey() {
    const [key, certificate] = ['idp.key', 'idp.crt'].map((file) => join(this.#folder, 'cert', file));
    const parameters = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=identity provider'];
    execFileSync('openssl', [...parameters, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  }

  /** What it wrote down: for a test that failed. */
  log() {
    const log = join(this.#folder, 'log', 'simplesamlphp.log');
    return `${readFileSync(log, { encoding: 'utf8', flag: 'a+' })}\n${this.#said}`;
  }

  stop() {
    this.#process?.kill('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #run(port) {
    this.origin = `http://127.0.0.1:${port}`;
    for (const folder of ['cert', 'data', 'log', 'sessions', 'tmp', 'trusted']) mkdirSync(join(this.#folder, folder));
    this.changeKey();
    const env = { ...process.env, SIMPLESAMLPHP_CONFIG_DIR: settings, SSP_URL: this.origin, SSP_STATE: this.#folder };
    // This PHP is newer than SimpleSAMLphp, and would say so on every page.
    const quiet = ['-d', 'error_reporting=0', '-d', 'display_errors=0'];
    const where = ['-S', `127.0.0.1:${port}`, '-t', process.env.VESTIBULE_SIMPLESAMLPHP];
    this.#process = spawn('php', [...quiet, ...where], { env });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { this.#said += text; });
    }
    for (let tries = 0; tries < 300; tries += 1) {
      if (await fetch(this.metadataUrl).catch(() => undefined)) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const said = this.log();
    this.stop();
    throw new Error(`SimpleSAMLphp does not answer: ${said}`);
  }
}
