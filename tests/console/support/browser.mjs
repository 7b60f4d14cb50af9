// A browser that notes what no page of the console may do: errors, violations of the content security policy, requests to another origin,
// and scripts of others, which would set a mark.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';

import axe from 'axe-core';
import { chromium } from 'playwright-core';

import { board, setting, tokens } from './service.mjs';

const origin = new URL(board).origin;
const pictures = setting('CONSOLE_PICTURES');
// A hostile text tries to call it.
export const MARK = '__mark_of_a_foreign_script';

export const axeVersion = createRequire(import.meta.url)('axe-core/package.json').version;

/** Runs a function with a browser, and closes it. */
export async function withBrowser(use) {
  // Chromium's sandbox needs user namespaces, which root and containers do not have; the pages are our own.
  const browser = await chromium.launch({ executablePath: setting('CHROMIUM'), args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** Opens a page in a context of its own. `checked` fails if something was noted. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults = [];
  page.on('pageerror', (error) => faults.push(`error of a script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`request to ${request.url()}`);
  });
  const checked = async () => {
    const mark = await page.evaluate((name) => window[name], MARK).catch(() => undefined);
    assert.equal(mark, undefined, 'a foreign script ran');
    assert.deepEqual(faults, []);
  };
  return { context, page, faults, checked };
}

/** Signs in with a token, and comes to the board. */
export async function signIn(page, token = tokens.admin) {
  await page.goto(board);
  await page.getByLabel('API token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Board' }).waitFor();
}

/** Fails if axe finds a serious or critical fault. */
export async function assertAccessible(page, where) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const found = grave.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).slice(0, 3).join(' ')}`);
  assert.deepEqual(found, [], where);
}

/** Keeps a picture of the page. */
export async function picture(page, name) {
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}/${name}.png` });
}

/** Marks the document: a page that was loaded again has lost the mark. */
export const markDocument = (page) => page.evaluate(() => { window.sameDocument = true; });
export const isSameDocument = (page) => page.evaluate(() => window.sameDocument === true);
