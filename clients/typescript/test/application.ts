// What the application and Avinode do beside the client: rows in the application's own tables, written by psql (PGHOST,
// PGUSER and PGDATABASE say where), and a signed webhook.

import { execFile } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';

import { createClient } from '../src/index.js';

const run = promisify(execFile);

/** A setting that the test needs. */
export function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; scripts/check-client sets it`);
  return value;
}

/** A client with a token that may change sessions. */
export const client = () => createClient({ baseUrl: setting('INGEST_URL'), token: setting('INGEST_TOKEN') });

/** Runs a statement and returns what it printed. Values stand in it as they are: the test's own, none from outside. */
export async function sql(statement: string): Promise<string> {
  const said = await run('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', statement], { timeout: 20_000 });
  return said.stdout.trim();
}

/** The rows that the application owns and a session refers to. */
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

/** A trip that no other run has told of. */
export const newTrip = () => `atrip-${Date.now()}${Math.floor(Math.random() * 1000)}`;

/** Sends a quote as Avinode's relay would, signed over the exact bytes. */
export async function quoteComes(trip: string, amount: number): Promise<void> {
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
  const answer = await fetch(`${setting('INGEST_URL')}/webhooks/avinode`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Avinode-Signature': signature },
    body,
  });
  if (answer.status !== 200) throw new Error(`the quote was answered ${answer.status}: ${await answer.text()}`);
}

/** Asks until it is so, ten seconds at most. */
export async function until<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    if (Date.now() > end) throw new Error(`it did not come to that: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
