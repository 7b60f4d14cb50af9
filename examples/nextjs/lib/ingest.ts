// The client of avinode-ingest. Import it in route handlers and server components only: the token must not reach a browser.

import { createClient, type Client } from 'avinode-ingest-client';

let client: Client | undefined;

/** Returns the client, made at the first call: a build has no settings. */
export function ingest(): Client {
  client ??= createClient({ baseUrl: setting('INGEST_URL'), token: setting('INGEST_TOKEN') });
  return client;
}

/** Returns a variable that must be set. */
export function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
