// Every page with hostile texts: none runs, all are shown, axe finds nothing grave in either scheme, and without JavaScript they are there.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { assertAccessible, axeVersion, open, signIn, withBrowser } from './support/browser.mjs';
import { hostilePages } from './support/pages.mjs';

let pages;
before(async () => {
  pages = await hostilePages();
});

// Answered 404: Chromium logs that as an error.
const isMissing = (text) => /status of 404/.test(text);

for (const colorScheme of ['light', 'dark']) {
  test(`hostile texts do nothing and axe ${axeVersion} finds no serious fault on any page, ${colorScheme}`, { timeout: 180_000 },
    () => withBrowser(async (browser) => {
      const { page, faults, checked } = await open(browser, { colorScheme });
      await assertAccessible(await signInPage(page), 'the page for signing in');
      await signIn(page);
      let shown = 0;
      for (const url of pages) {
        await page.goto(url);
        await page.getByRole('main').waitFor();
        await assertAccessible(page, `${url}, ${colorScheme}`);
        shown += Number((await page.locator('body').innerText()).includes('onerror='));
        const others = faults.filter((text) => !isMissing(text));
        assert.deepEqual(others, [], url);
        faults.length = 0;
        await checked();
      }
      assert.ok(shown >= 15, `only ${shown} pages show the hostile text`);
    }));
}

test('without JavaScript every page can be read', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const { page } = await open(browser, { javaScriptEnabled: false });
  await signIn(page);
  for (const url of pages) {
    await page.goto(url);
    assert.notEqual(await page.locator('h1').first().innerText(), '', url);
  }
}));

async function signInPage(page) {
  await page.goto(pages[0]);
  await page.getByLabel('API token').waitFor();
  return page;
}
