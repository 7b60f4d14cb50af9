// The board and a session in a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isSameDocument, markDocument, open, signIn, withBrowser } from './support/browser.mjs';
import { board, newSession, quoteEvent, send, tokens, trigger } from './support/service.mjs';

const card = (page, session) => page.locator('.card', { has: page.locator(`#session-${session.id}`) });

test('the board shows a signed delivery without being loaded again', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const session = await newSession();
  const { page, checked } = await open(browser);
  await signIn(page);
  await card(page, session).getByText('0 quotes').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await markDocument(page);
  await trigger('quote', '--trip', session.trip, '--price', '51000', '--currency', 'EUR');
  await card(page, session).getByText('51,000.00 EUR').waitFor({ timeout: 10_000 });
  assert.match(await card(page, session).innerText(), /1 quote/);
  assert.ok(await isSameDocument(page), 'the page was loaded again');
  await checked();
}));

test('a live change keeps the focus and how far the board was scrolled', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const session = await newSession();
  const { page, checked } = await open(browser, { viewport: { width: 800, height: 600 } });
  await signIn(page);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator(`#session-${session.id}`).focus();
  await page.locator('#columns').evaluate((columns) => columns.scrollTo({ left: 150, behavior: 'instant' }));
  const view = () => page.evaluate(() => [document.activeElement?.id, document.getElementById('columns').scrollLeft]);
  const before = await view();
  assert.deepEqual(before, [`session-${session.id}`, 150]);
  await trigger('quote', '--trip', session.trip, '--price', '52000', '--currency', 'EUR');
  await card(page, session).getByText('52,000.00 EUR').waitFor({ timeout: 10_000 });
  assert.deepEqual(await view(), before);
  await checked();
}));

test('a quote is pinned and unpinned from the page of its session', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const session = await newSession();
  await send(quoteEvent(session.trip, { operator: 'First Jets', amount: 40_000 }));
  await send(quoteEvent(session.trip, { operator: 'Second Jets', amount: 30_000 }));
  const { page, checked } = await open(browser);
  await signIn(page);
  await page.goto(`${board}/sessions/${session.id}`);
  const pin = page.getByRole('button', { name: /^Pin/ });
  await pin.first().waitFor();
  await pin.first().click();
  const unpin = page.getByRole('button', { name: /^Unpin/ });
  await unpin.waitFor();
  await unpin.click();
  await unpin.waitFor({ state: 'detached' });
  await checked();
}));

test('a token with the scope read sees no button that changes something, and its form is refused', { timeout: 60_000 },
  () => withBrowser(async (browser) => {
    const session = await newSession();
    await send(quoteEvent(session.trip));
    const { page, context, checked } = await open(browser);
    await signIn(page, tokens.read);
    await page.goto(`${board}/sessions/${session.id}`);
    await page.getByText('Northwind Jets').first().waitFor();
    assert.equal(await page.getByRole('button', { name: /^(Pin|Unpin)/ }).count(), 0);
    await checked();
    const refused = await context.request.post(`${board}/sessions/${session.id}/unpin`, {
      form: { form_token: 'x' }, headers: { Origin: new URL(board).origin },
    });
    assert.equal(refused.status(), 403);
  }));

test('without JavaScript the board, a session and the search can be read', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const session = await newSession({ agent: 'Broker Without Scripts' });
  const { page } = await open(browser, { javaScriptEnabled: false });
  await signIn(page);
  await page.getByLabel(/^Trip, RFQ/).fill(session.trip);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.locator(`#session-${session.id}`).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.match(await page.locator('main').innerText(), new RegExp(session.trip));
}));

test('with the keyboard alone a visitor signs in, opens a session and signs out', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const session = await newSession();
  const { page, checked } = await open(browser);
  await page.goto(board);
  // The field has the focus when the page is opened.
  await page.keyboard.type(tokens.admin);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Board' }).waitFor();
  await tabTo(page, () => document.activeElement?.id === 'q');
  await page.keyboard.type(session.trip);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Search' }).waitFor();
  await tabTo(page, (id) => document.activeElement?.id === `session-${id}`, session.id);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, 'none', 'the focus is not visible');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/sessions/${session.id}`);
  await tabTo(page, () => document.activeElement?.textContent === 'Sign out');
  await page.keyboard.press('Enter');
  await page.getByLabel('API token').waitFor();
  await checked();
}));

/** Presses the tabulator until the focus is where it shall be. */
async function tabTo(page, isThere, argument) {
  for (let pressed = 0; pressed < 60; pressed += 1) {
    if (await page.evaluate(isThere, argument)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`not reached by 60 steps: ${isThere}`);
}
