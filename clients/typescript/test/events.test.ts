// The stream of events: in order, resumed without loss or repetition, and refused where it cannot be resumed.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import type { SessionEvent } from '../src/index.js';
import { ProblemError } from '../src/index.js';
import { client, newTrip, rows, sendQuote } from './application.js';

/** Reads until so many entries have come; returns them and the last id. */
async function read(entries: number, filter: { sessionId: string; after?: string | undefined }) {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), 20_000);
  const seen: SessionEvent[] = [];
  for await (const event of client().sessionEvents({ ...filter, signal: end.signal })) {
    if (event.entry) seen.push(event);
    if (seen.length === entries) break;
  }
  clearTimeout(timer);
  assert.equal(seen.length, entries);
  return { kinds: seen.map(({ entry }) => entry?.kind), last: seen.at(-1)?.id };
}

test('a stream is resumed after the last event that was read', async () => {
  const { agent, conversation, request } = await rows();
  const trip = newTrip();
  const session = await client().createOrUpdateChatSession({
    conversation_id: conversation,
    iso_agent_id: agent,
    request_id: request,
    avinode_trip_id: trip,
  });
  await sendQuote(trip, 48250);
  const first = await read(1, { sessionId: session.id, after: '0' });
  assert.deepEqual(first.kinds, ['quote_received']);
  await sendQuote(trip, 47000);
  await client().completeChatSession(session.id);
  const second = await read(2, { sessionId: session.id, after: first.last });
  assert.deepEqual([...second.kinds].sort(), ['quote_received', 'session_completed']);
});

test('a position of another database is refused', async () => {
  const call = read(1, { sessionId: randomUUID(), after: '999999999999' });
  await assert.rejects(call, (error) => error instanceof ProblemError && error.kind === 'position-expired');
});
