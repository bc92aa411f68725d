// Pictures of pages in build/screenshots/, each looked at by axe-core for what would keep people with a disability out.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runtime } from './broker.mjs';

const pictures = new URL('../../build/screenshots/', import.meta.url).pathname;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
const sizes = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** Pictures of the page as it is now: wide and narrow, light and dark, each without a barrier. One runtime's are enough. */
export async function pictureOf(page, name) {
  if (runtime !== 'native') return;
  mkdirSync(pictures, { recursive: true });
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(pictures, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(overflow <= 0, `${name} is ${overflow} pixels too wide for ${size}`);
      assert.deepEqual(await barriers(page), [], `${name}, ${size}, ${colorScheme}`);
    }
  }
  await page.setViewportSize(sizes.wide);
}

/** What axe-core finds wrong: WCAG 2.2 AA and its best practices. The pages have no scripts; this one is the test's. */
async function barriers(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ preload: false }));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`);
}
