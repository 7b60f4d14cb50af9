// The call sites of the application, as its pages show them: they compile, work, and do not throw when a call fails.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';

import { ProblemError } from '../src/index.js';
import {
  completeChatSession,
  createOrUpdateChatSession,
  getActiveChatSession,
  getChatSessionByRequest,
  getChatSessionsByTripId,
  getUserActiveChatSessions,
  updateChatSessionActivity,
  updateChatSessionType,
  updateChatSessionWithProposal,
  updateChatSessionWithQuote,
  updateChatSessionWithTripInfo,
  type ChatSession,
  type ChatSessionInsert,
  type ChatSessionUpdate,
} from '../src/track-chat-session.js';
import { client, newTrip, rows, sql } from './application.js';

/** As the application's chat route creates a session. */
async function startSession(insert: ChatSessionInsert): Promise<ChatSession | null> {
  const session: ChatSession | null = await createOrUpdateChatSession(insert);
  return session;
}

/** As its trip creation updates one. */
async function tripCreated(sessionId: string, tripId: string, rfpId: string): Promise<boolean> {
  const update: ChatSessionUpdate = {
    avinode_trip_id: tripId,
    avinode_rfp_id: rfpId,
    current_step: 'requesting_quotes',
    quotes_expected_count: 5,
  };
  if (!(await updateChatSessionWithTripInfo(sessionId, update))) {
    return false;
  }
  return updateChatSessionType(sessionId, 'flight_request');
}

test('the call sites work', async () => {
  const { agent, conversation, request, proposal } = await rows();
  const created = await startSession({
    conversation_id: conversation,
    request_id: request,
    iso_agent_id: agent,
    status: 'active',
    conversation_type: 'general',
    current_step: 'understanding_request',
    workflow_state: { passengers: 4 },
  });
  assert.equal(created?.conversation_type, 'general');
  const trip = newTrip();
  assert.equal(await tripCreated(created.id, trip, 'rfp-123'), true);
  const session = await getActiveChatSession(conversation);
  if (session) {
    assert.deepEqual([session.conversation_type, session.current_step], ['flight_request', 'requesting_quotes']);
  }
  assert.equal((await getChatSessionByRequest(request))?.quotes_expected_count, 5);
  const quote = await sql(`INSERT INTO quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type, status)
    VALUES ('${request}', 'acontact-1', 'Northwind Jets', 100, 100, 'Light Jet', 'received') RETURNING id`);
  for (const found of await getChatSessionsByTripId(trip)) {
    await updateChatSessionWithQuote(found.id, quote, { quotes_received_count: 3 });
    await updateChatSessionActivity(found.id);
  }
  assert.deepEqual((await getUserActiveChatSessions(agent)).map((found) => found.quotes_received_count), [3]);
  assert.ok(await updateChatSessionWithProposal(created.id, proposal));
  assert.ok(await completeChatSession(created.id));
});

test('every column of the row is returned', async () => {
  const { agent, conversation } = await rows();
  await sql("ALTER TABLE chat_sessions ADD COLUMN IF NOT EXISTS mood text DEFAULT 'calm'");
  const session = await startSession({ conversation_id: conversation, iso_agent_id: agent });
  assert.equal(session?.['mood'], 'calm');
});

/** Collects what is logged as an error during a test. */
function logged(context: TestContext): unknown[][] {
  const lines: unknown[][] = [];
  context.mock.method(console, 'error', (...line: unknown[]) => void lines.push(line));
  return lines;
}

test('a call that fails is logged and returns null, false or an empty list', async (context) => {
  const lines = logged(context);
  const id = randomUUID();
  assert.equal(await createOrUpdateChatSession({ conversation_id: id, iso_agent_id: id }), null);
  assert.equal(await getActiveChatSession('not an id'), null);
  assert.equal(await getChatSessionByRequest('not an id'), null);
  assert.deepEqual(await getUserActiveChatSessions('not an id'), []);
  assert.equal(await updateChatSessionActivity(id), null);
  assert.equal(await updateChatSessionWithTripInfo(id, { avinode_trip_id: newTrip() }), null);
  assert.equal(await updateChatSessionType(id, 'general'), false);
  assert.equal(await updateChatSessionWithQuote(id, id), null);
  assert.equal(await updateChatSessionWithProposal(id, id), null);
  assert.equal(await completeChatSession(id), null);
  assert.equal(lines.length, 10);
  for (const [words, error] of lines) {
    assert.match(String(words), /^[A-Za-z]+ failed:$/);
    assert.ok(error instanceof ProblemError, String(error));
  }
});

test('a call to a service that does not answer is logged and returns null', async (context) => {
  const lines = logged(context);
  context.mock.method(globalThis, 'fetch', () => Promise.reject(new TypeError('fetch failed')));
  assert.equal(await getActiveChatSession(randomUUID()), null);
  assert.deepEqual(await getChatSessionsByTripId(newTrip()), []);
  assert.equal(lines.length, 2);
});

test('the typed client throws', async () => {
  await assert.rejects(client().updateChatSessionType(randomUUID(), 'general'), ProblemError);
});
