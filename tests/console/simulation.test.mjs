// Pictures of the board and of operations while a simulated Avinode plays 200 trips, whose sessions end as the scenario says.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open, picture, signIn, withBrowser } from './support/browser.mjs';
import { board, setting, sql, start, until } from './support/service.mjs';

test('the board shows 200 simulated trips while their quotes arrive', { timeout: 180_000 }, () => withBrowser(async (browser) => {
  const simulation = start(
    'simulate', '--trips', '200', '--actions', '600', '--seed', '7', '--speed', '600', '--allow', '10000', '--allow-burst', '10000',
    '--sessions', '--exit', '--auth', 'preemptive', '--listen', setting('SIMULATOR_LISTEN'), '--target', setting('INGEST_URL'),
  );
  try {
    const { page, checked } = await open(browser);
    await signIn(page);
    const received = () => sql('SELECT count(*) FROM chat_sessions WHERE quotes_received_count > 0');
    await until(async () => Number(await received()) > 60, 'quotes of 60 sessions have arrived', 90_000);
    await page.getByText('Live', { exact: true }).waitFor();
    await picture(page, 'board');
    await page.goto(`${board}/operations`);
    await page.getByRole('img', { name: 'Applied per minute' }).waitFor();
    await picture(page, 'operations');
    assert.equal(await simulation.ended, 0, simulation.output());
    await page.goto(`${board}/operations`);
    await picture(page, 'operations-afterwards');
    await checked();
  } finally {
    simulation.child.kill();
  }
}));
