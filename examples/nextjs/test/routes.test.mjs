// The built application beside a running service: scripts/check-nextjs starts both.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { Webhook } from 'standardwebhooks';

const application = process.env.APPLICATION_URL;

/** Runs a statement; psql reads PGHOST, PGUSER and PGDATABASE. */
const sql = (statement) =>
  execFileSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', statement], { encoding: 'utf8', timeout: 20_000 }).trim();

const post = (path, body, headers = {}) =>
  fetch(`${application}${path}`, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } });

const page = async () => (await fetch(application)).text();

/** Polls the page until it has a text; fails after ten seconds. */
async function shown(text) {
  const end = Date.now() + 10_000;
  for (;;) {
    const html = await page();
    if (html.includes(text)) return html;
    if (Date.now() > end) throw new Error(`${text} is not on the page: ${html}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function sendQuote(trip) {
  const body = JSON.stringify({
    event: 'TripRequestSellerResponse',
    eventId: `evt-${randomUUID()}`,
    timestamp: new Date().toISOString(),
    apiVersion: 'v1.0',
    data: {
      type: 'TripRequestSellerResponse',
      trip: { id: trip },
      request: { id: `arfq-${Date.now()}`, status: 'quoted' },
      seller: { id: 'acontact-70000001', name: 'Northwind Jets', companyId: 'acompany-50001' },
      quote: { id: `aquote-${randomUUID()}`, totalPrice: { amount: 48250, currency: 'USD' } },
    },
  });
  const signature = createHmac('sha256', process.env.AVINODE_WEBHOOK_SECRET).update(body).digest('hex');
  const response = await fetch(`${process.env.INGEST_URL}/webhooks/avinode`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Avinode-Signature': signature },
    body,
  });
  assert.equal(response.status, 200, await response.text());
}

test('a session that a route created gets a quote, and the webhook about it reaches the page', async () => {
  const conversation = sql("INSERT INTO conversations (subject) VALUES ('To Palm Beach') RETURNING id");
  const request = sql("INSERT INTO requests (departure_airport, arrival_airport) VALUES ('KTEB', 'KPBI') RETURNING id");
  const trip = `atrip-${Date.now()}`;
  const body = { conversationId: conversation, requestId: request, tripId: trip };
  const response = await post('/api/sessions', JSON.stringify(body));
  assert.equal(response.status, 201);
  const { id } = await response.json();
  assert.equal(sql(`SELECT avinode_trip_id FROM chat_sessions WHERE id = '${id}'`), trip);

  await sendQuote(trip);
  const html = await shown('Northwind Jets, 48250.00');
  assert.ok(html.includes(id));
});

test('a body without a conversation, and one that does not exist, are refused', async () => {
  assert.equal((await post('/api/sessions', '{}')).status, 400);
  assert.equal((await post('/api/sessions', 'not JSON')).status, 400);
  const refused = await post('/api/sessions', JSON.stringify({ conversationId: randomUUID() }));
  assert.ok(refused.status >= 400 && refused.status < 500, `${refused.status}`);
});

test('a webhook without a valid signature is answered 401 and changes nothing', async () => {
  const body = JSON.stringify({ type: 'session.changed', data: { session_id: 'forged', version: 1 } });
  const id = `msg_${randomUUID()}`;
  const now = new Date();
  const headers = { 'webhook-id': id, 'webhook-timestamp': `${Math.floor(now.getTime() / 1000)}` };
  const other = new Webhook(`whsec_${Buffer.alloc(32, 1).toString('base64')}`);
  assert.equal((await post('/api/hooks/avinode', body)).status, 401);
  assert.equal(
    (await post('/api/hooks/avinode', body, { ...headers, 'webhook-signature': other.sign(id, now, body) })).status,
    401,
  );
  assert.ok(!(await page()).includes('forged'));
});

test('of two webhooks about a session the higher version is shown, whatever their order', async () => {
  const webhook = new Webhook(process.env.INGEST_NOTIFY_SECRET);
  const session = randomUUID();
  for (const [version, step] of [[7, 'seventh'], [6, 'sixth']]) {
    const data = { session_id: session, version, current_step: step, quotes_received_count: 0, quotes_expected_count: 0 };
    const body = JSON.stringify({ type: 'session.changed', data: { ...data, primary_quote: null } });
    const id = `msg_${session}_${version}`;
    const now = new Date();
    const response = await post('/api/hooks/avinode', body, {
      'webhook-id': id,
      'webhook-timestamp': `${Math.floor(now.getTime() / 1000)}`,
      'webhook-signature': webhook.sign(id, now, body),
    });
    assert.equal(response.status, 204);
  }
  const html = await page();
  assert.ok(html.includes('seventh') && !html.includes('sixth'));
});
