// A browser without scripts and pictures: it keeps cookies per host and port, follows redirects and posts forms.
// Node's own fetch would say `sec-fetch-mode: cors`, which no page load does; this sends what a page load sends.
import { request } from 'node:http';

export class PlainBrowser {
  #cookies = new Map();

  /** Every Set-Cookie line that came back so far. */
  received = [];

  /** One request, no redirect followed: `{ status, location, body }`. */
  send(url, form) {
    const target = new URL(url);
    const jar = this.#cookies.get(target.host) ?? new Map();
    const body = form && new URLSearchParams(form).toString();
    const headers = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    if (jar.size > 0) headers.cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    if (body !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded';
    return new Promise((resolve, reject) => {
      const outgoing = request(target, { method: body === undefined ? 'GET' : 'POST', headers }, (answer) => {
        this.#keep(target.host, jar, answer.headers['set-cookie'] ?? []);
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          const location = answer.headers.location && new URL(answer.headers.location, target).href;
          resolve({ status: answer.statusCode, location, body: Buffer.concat(parts).toString() });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  /** Follows redirects from `url` until one leads to `end`, signing in as `user` where a form asks for it. */
  async walk(url, end, user) {
    let page = url;
    for (let step = 0; step < 20; step += 1) {
      if (page.startsWith(end)) return new URL(page);
      let answer = await this.send(page);
      if (answer.status === 200 && user && answer.body.includes('name="username"')) {
        answer = await this.send(page, { username: user, password: 'any' });
      }
      if (!answer.location) throw new Error(`${page} answered ${answer.status}: ${answer.body.slice(0, 2000)}`);
      page = answer.location;
    }
    throw new Error(`${url} never led to ${end}`);
  }

  #keep(host, jar, lines) {
    for (const line of lines) {
      this.received.push(line);
      const [pair, ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const name = pair.slice(0, at);
      const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute) || /^expires=thu, 01 jan 1970/i.test(attribute));
      if (gone) jar.delete(name);
      else jar.set(name, pair.slice(at + 1));
    }
    this.#cookies.set(host, jar);
  }
}
