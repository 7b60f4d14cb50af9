// The application's and Avinode's part of the tests: rows in the application's tables, written with psql (which reads
// PGHOST, PGUSER and PGDATABASE), and signed webhook calls.

import { execFile } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';

import { createClient } from '../src/index.js';

const run = promisify(execFile);

/** Returns a required environment variable. */
export function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; scripts/check-client sets it`);
  return value;
}

/** Creates a client with the scope `write`. */
export const client = () => createClient({ baseUrl: setting('INGEST_URL'), token: setting('INGEST_TOKEN') });

/** Runs a statement and returns its output. Values are interpolated, as all of them are the tests' own. */
export async function sql(statement: string): Promise<string> {
  const { stdout } = await run('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', statement], { timeout: 20_000 });
  return stdout.trim();
}

/** Inserts the rows of the application to which a session refers. */
export async function rows() {
  const agent = await sql("INSERT INTO iso_agents (full_name) VALUES ('A Broker') RETURNING id");
  const conversation = await sql("INSERT INTO conversations (subject) VALUES ('To Palm Beach') RETURNING id");
  const request = await sql(
    "INSERT INTO requests (departure_airport, arrival_airport) VALUES ('KTEB', 'KPBI') RETURNING id",
  );
  const proposal = await sql(
    `INSERT INTO proposals (request_id, title) VALUES ('${request}', 'Palm Beach') RETURNING id`,
  );
  return { agent, conversation, request, proposal };
}

/** Returns a new trip id. */
export const newTrip = () => `atrip-${Date.now()}${Math.floor(Math.random() * 1000)}`;

/** Sends a signed full event with a quote. */
export async function sendQuote(trip: string, amount: number): Promise<void> {
  const now = Date.now();
  const body = JSON.stringify({
    event: 'TripRequestSellerResponse',
    eventId: `evt-${randomUUID()}`,
    timestamp: new Date(now).toISOString(),
    apiVersion: 'v1.0',
    data: {
      type: 'TripRequestSellerResponse',
      trip: { id: trip },
      request: { id: `arfq-${trip.slice('atrip-'.length)}`, status: 'quoted' },
      seller: { id: 'acontact-70000001', name: 'Northwind Jets', companyId: 'acompany-50001' },
      quote: {
        id: `aquote-${randomUUID()}`,
        totalPrice: { amount, currency: 'USD' },
        validUntil: new Date(now + 172_800_000).toISOString(),
        aircraft: { type: 'Light Jet', model: 'Cessna Citation CJ3', tailNumber: 'N012NW', capacity: 7 },
      },
    },
  });
  const signature = createHmac('sha256', setting('AVINODE_WEBHOOK_SECRET')).update(body).digest('hex');
  const response = await fetch(`${setting('INGEST_URL')}/webhooks/avinode`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Avinode-Signature': signature },
    body,
  });
  if (response.status !== 200) throw new Error(`sending the quote failed: ${response.status}: ${await response.text()}`);
}

/** Polls until a condition holds; fails after ten seconds. */
export async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) throw new Error(`timed out: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Returns the session of a call that must not fail. */
export async function succeeded<T>(call: Promise<T | null>): Promise<T> {
  const session = await call;
  if (session === null) throw new Error('the call failed; its error is logged');
  return session;
}
