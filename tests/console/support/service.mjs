// The service under test: its command line, its API and its database. scripts/check-console starts it.

import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Returns a required environment variable. */
export function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; scripts/check-console sets it`);
  return value;
}

export const program = setting('CONSOLE_PROGRAM');
export const board = `${setting('ADMIN_URL')}/console`;
export const tokens = { admin: setting('INGEST_TOKEN'), read: setting('READ_TOKEN') };

/** Runs a command of the program and returns its output. */
export async function command(...args) {
  const { stdout } = await run(program, args, { timeout: 60_000, env: commandEnvironment() });
  return stdout;
}

/** Starts a command that goes on; `ended` is its exit code. */
export function start(...args) {
  const child = spawn(program, args, { env: commandEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return { child, ended, output: () => output };
}

// Commands with a URL and a token would use the operator API, and these find the database of the service.
function commandEnvironment() {
  return { ...process.env, INGEST_DATA_DIR: setting('PGHOST'), INGEST_TOKEN: '', NO_COLOR: '1' };
}

/** Sends a signed event of a kind, and returns its ids and its delivery. */
export async function trigger(kind, ...args) {
  return JSON.parse(await command('trigger', kind, '--url', setting('INGEST_URL'), '--json', ...args));
}

/** Sends a body, signed. */
export async function send(body) {
  const { createHmac } = await import('node:crypto');
  const signature = createHmac('sha256', setting('AVINODE_WEBHOOK_SECRET')).update(body).digest('hex');
  const response = await fetch(`${setting('INGEST_URL')}/webhooks/avinode`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Avinode-Signature': signature },
    body,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`the service answered ${response.status}: ${text}`);
  return JSON.parse(text).delivery;
}

/** Calls the API. */
export async function api(method, path, body) {
  const response = await fetch(`${setting('INGEST_URL')}${path}`, {
    method,
    headers: { Authorization: `Bearer ${tokens.admin}`, ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}: ${text}`);
  return JSON.parse(text);
}

/** Runs a statement with psql, which reads PGHOST, PGUSER and PGDATABASE. Values are variables of psql. */
export async function sql(statement, values = {}) {
  const variables = Object.entries(values).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
  const child = execFile('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', ...variables, '-f', '-'], { timeout: 20_000 });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data) => { output += data; });
  child.stderr.on('data', (data) => { errors += data; });
  child.stdin.end(statement);
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`psql: ${errors}`);
  return output.trim();
}

let trips = 0;
/** Returns a new trip id. */
export const newTrip = () => `atrip-${Date.now()}${(trips += 1)}`;

/** Creates a session of a trip; the texts are those of the application's rows. */
export async function newSession(texts = {}) {
  const { agent = 'A Broker', subject = 'To Palm Beach', from = 'KTEB', to = 'KPBI', rfp = '' } = texts;
  const trip = texts.trip ?? newTrip();
  const one = (table, columns, values) => sql(
    `INSERT INTO ${table} (${columns}) VALUES (${Object.keys(values).map((name) => `:'${name}'`).join(', ')}) RETURNING id`,
    values,
  );
  const iso_agent_id = await one('iso_agents', 'full_name', { agent });
  const conversation_id = await one('conversations', 'subject', { subject });
  const request_id = await one('requests', 'departure_airport, arrival_airport', { from, to });
  const { id } = await api('POST', '/v1/sessions', {
    conversation_id, iso_agent_id, request_id, status: 'active', avinode_trip_id: trip, ...(rfp && { avinode_rfp_id: rfp }),
  });
  return { id, trip };
}

/** A full event with a quote; `texts` replace those of its parts. */
export function quoteEvent(trip, texts = {}) {
  return JSON.stringify({
    event: 'TripRequestSellerResponse',
    eventId: `evt-${randomUUID()}`,
    timestamp: new Date().toISOString(),
    apiVersion: 'v1.0',
    data: {
      type: 'TripRequestSellerResponse',
      trip: { id: trip },
      request: { id: texts.rfq ?? `arfq-${trip.slice('atrip-'.length)}`, status: texts.status ?? 'quoted' },
      seller: { id: 'acontact-70000001', name: texts.operator ?? 'Northwind Jets', companyId: 'acompany-50001' },
      quote: {
        id: texts.quote ?? `aquote-${randomUUID()}`,
        totalPrice: { amount: texts.amount ?? 48_250, currency: texts.currency ?? 'USD' },
        validUntil: new Date(Date.now() + 172_800_000).toISOString(),
        aircraft: {
          type: texts.aircraft ?? 'Light Jet', model: texts.model ?? 'Cessna Citation CJ3', tailNumber: texts.tail ?? 'N012NW', capacity: 7,
        },
      },
    },
  });
}

/** Polls until a condition holds; fails after a deadline. */
export async function until(holds, what, within = 15_000) {
  const end = Date.now() + within;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
