// The pages of operations in a browser.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { isSameDocument, markDocument, open, signIn, withBrowser } from './support/browser.mjs';
import { api, board, newSession, quoteEvent, send, sql, tokens, trigger, until } from './support/service.mjs';

const operations = `${board}/operations`;

/** Sends an event that is dead-lettered, and returns its delivery when it is. */
async function deadLetter(kind) {
  const delivery = await send(JSON.stringify({
    event: kind, eventId: `evt-${randomUUID()}`, timestamp: new Date().toISOString(), data: { type: kind, trip: { id: 'atrip-1' } },
  }));
  await until(async () => await sql(
    "SELECT count(*) FROM avinode_ingest.dead_jobs WHERE delivery_id = :'delivery'", { delivery },
  ) === '1', 'the job is dead');
  return delivery;
}

test('dead letters are counted by a dry run, retried from the page, and discarded', { timeout: 90_000 }, () => withBrowser(async (browser) => {
  const deliveries = [await deadLetter('TripSomethingNew'), await deadLetter('TripSomethingElse')];
  const { page, checked } = await open(browser);
  await signIn(page);
  await page.getByRole('link', { name: 'Operations' }).click();
  await page.getByRole('link', { name: 'Dead letters' }).first().click();
  await page.getByRole('link', { name: /unknown event kind/ }).click();
  // The numbers of the dry run come first.
  await page.getByRole('button', { name: 'Dry run: retry' }).click();
  await page.getByRole('heading', { level: 1, name: 'Dry run of retry' }).waitFor();
  await markDocument(page);
  const retry = page.getByRole('button', { name: /^Retry 2 jobs$/ });
  await retry.waitFor();
  assert.ok(await isSameDocument(page), 'the page was loaded again');
  assert.equal(await sql('SELECT count(*) FROM avinode_ingest.dead_jobs'), '2', 'the dry run changed something');
  await page.getByLabel('Note, for the audit log').fill('after the upgrade');
  await retry.click();
  await page.getByText('finished', { exact: true }).waitFor();
  assert.match(await page.locator('main').innerText(), /Retried\s+2/);
  // They die again: this version still does not know the event.
  await until(async () => await sql('SELECT count(*) FROM avinode_ingest.dead_jobs') === '2', 'both jobs ran again');
  const audit = await sql("SELECT actor || ' ' || (details->>'note') FROM avinode_ingest.audit WHERE action = 'retry_jobs' AND state = 'finished' AND NOT dry_run");
  assert.equal(audit, 'token:check after the upgrade');
  // One job by its own page.
  await page.goto(`${operations}/deliveries/${deliveries[0]}`);
  await page.getByRole('link', { name: /^Job \d+/ }).first().click();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByText('The job was discarded.').waitFor();
  assert.equal(await sql('SELECT count(*) FROM avinode_ingest.dead_jobs'), '1');
  await checked();
}));

test('a replay is counted by a dry run with the text of the reason, and then made', { timeout: 90_000 }, () => withBrowser(async (browser) => {
  await deadLetter('TripSomethingOlder');
  const { page, checked } = await open(browser);
  await signIn(page);
  await page.goto(`${operations}/dead-letters`);
  await page.getByRole('link', { name: /unknown event kind/ }).click();
  await page.getByRole('button', { name: 'Dry run: replay' }).click();
  const replay = page.getByRole('button', { name: /^Replay \d+ deliveries$/ });
  await replay.waitFor();
  assert.match(await page.locator('main').innerText(), /Would be dead-lettered\s+\d/);
  await replay.click();
  await page.getByText('finished', { exact: true }).waitFor();
  assert.match(await page.locator('main').innerText(), /Replayed\s+\d/);
  await checked();
}));

test('a delivery shows its body, its headers and why it is shown', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const session = await newSession();
  const { delivery, ids } = await trigger('quote', '--trip', session.trip);
  await until(async () => (await api('GET', `/v1/sessions/${session.id}`)).quotes_received_count === 1, 'the quote is counted');
  const { page, checked } = await open(browser);
  await signIn(page, tokens.read);
  await page.goto(`${operations}/deliveries?trip=${session.trip}&rfq=&kind=`);
  await page.getByRole('rowheader').getByRole('link').first().click();
  await page.waitForURL(`**/deliveries/${delivery}`);
  const text = await page.locator('main').innerText();
  assert.match(text, /"eventId": "/);
  assert.match(text, /content-type: application\/json/i);
  assert.match(text, new RegExp(ids.quote));
  assert.match(text, /applied/);
  assert.equal(await page.getByRole('button', { name: 'Replay' }).count(), 0, 'the scope read has no actions');
  await checked();
}));

test('the overview reads itself again, and the checks are run by the page', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const { page, checked } = await open(browser);
  await signIn(page);
  await page.goto(operations);
  await page.getByRole('img', { name: 'Received per minute' }).waitFor();
  await markDocument(page);
  const before = await page.locator('#live').evaluate((element) => { element.dataset.old = 'yes'; return element.dataset.old; });
  assert.equal(before, 'yes');
  await page.locator('#live:not([data-old])').waitFor({ timeout: 15_000 });
  assert.ok(await isSameDocument(page), 'the page was loaded again');
  await page.goto(`${operations}/checks`);
  await page.getByRole('rowheader', { name: 'schema' }).waitFor();
  await checked();
}));

test('an invalid filter and an unknown id are answered by a page that names them', { timeout: 60_000 }, () => withBrowser(async (browser) => {
  const { page } = await open(browser);
  await signIn(page);
  for (const [path, status, text] of [
    ['deliveries?limit=0', 422, 'limit'],
    [`deliveries/${randomUUID()}`, 404, 'Delivery not found'],
    ['jobs/7000000000', 404, 'Job not found'],
    ['jobs/x', 404, 'Job not found'],
    [`batches/${randomUUID()}`, 404, 'Batch not found'],
    ['no-such-page', 404, 'Not found'],
  ]) {
    const response = await page.goto(`${operations}/${path}`);
    assert.equal(response.status(), status, path);
    assert.match(await page.locator('main').innerText(), new RegExp(text, 'i'), path);
  }
}));
