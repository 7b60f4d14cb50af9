// The four integration points of the application's session tracking, and the archive, against a running service.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unwrap, type ChatSession } from '../src/index.js';
import * as tracking from '../src/track-chat-session.js';
import { client, newTrip, sendQuote, rows, sql, succeeded, until } from './application.js';

test('a session goes from its first message to the archive', { timeout: 60_000 }, async () => {
  const { api } = client();
  const { agent, conversation, request, proposal } = await rows();
  const trip = newTrip();
  const get = async (id: string) => unwrap(await api.GET('/v1/sessions/{id}', { params: { path: { id } } }));
  const archive = async () => unwrap(await api.POST('/v1/sessions/archive'));

  assert.equal(await tracking.getActiveChatSession(conversation), null);
  const created = await succeeded(tracking.createOrUpdateChatSession({
    conversation_id: conversation,
    iso_agent_id: agent,
    status: 'active',
    current_step: 'understanding_request',
    workflow_state: { passengers: 4 },
  }));
  const id = created.id;

  // 1. The chat route records a message.
  const session = await tracking.getActiveChatSession(conversation);
  assert.equal(session?.id, id);
  const active = await succeeded(tracking.updateChatSessionActivity(id, 1));
  assert.equal(active.message_count, 1);
  assert.ok(Date.parse(active.last_activity_at ?? '') > Date.parse(created.last_activity_at ?? ''));

  // 2. The application creates a trip.
  const updated = await succeeded(tracking.updateChatSessionWithTripInfo(id, {
    avinode_trip_id: trip,
    avinode_rfp_id: 'rfp-123',
    request_id: request,
    current_step: 'requesting_quotes',
    workflow_state: { bags: 6 },
  }));
  assert.deepEqual(updated.workflow_state, { passengers: 4, bags: 6 });
  assert.equal(updated.current_step, 'requesting_quotes');
  assert.equal((await tracking.getChatSessionByRequest(request))?.id, id);

  // 3. The webhook delivers a quote; the application reports the same one, and it is counted once.
  await sendQuote(trip, 48_250);
  const [quoted] = await until(
    () => tracking.getChatSessionsByTripId(trip),
    ([found]) => found?.quotes_received_count === 1,
  );
  assert.equal(quoted?.operator_name, 'Northwind Jets');
  assert.equal(quoted.total_price, '48250.00');
  const quote = quoted.primary_quote_id;
  assert.ok(quote);
  for (const found of await tracking.getChatSessionsByTripId(trip)) {
    const recorded: ChatSession = await succeeded(tracking.updateChatSessionWithQuote(found.id, quote, {
      quotes_expected_count: 5,
      primary_quote_id: quote,
    }));
    assert.deepEqual([recorded.quotes_received_count, recorded.quotes_expected_count], [1, 5]);
    assert.ok(recorded.primary_quote_pinned);
  }
  assert.deepEqual((await tracking.getUserActiveChatSessions(agent)).map((found) => found.id), [id]);

  // 4. The application creates and sends a proposal.
  assert.equal((await tracking.updateChatSessionWithProposal(id, proposal))?.current_step, 'proposal_ready');
  const completed = await succeeded(tracking.completeChatSession(id));
  assert.equal(completed.status, 'completed');
  assert.ok(completed.session_ended_at);
  assert.deepEqual(await tracking.getUserActiveChatSessions(agent), []);

  // The session is archived 90 days after its completion.
  const ended = (days: number) =>
    sql(`UPDATE chat_sessions SET session_ended_at = now() - interval '${days} days' WHERE id = '${id}'`);
  await ended(89);
  await archive();
  assert.equal((await get(id)).status, 'completed');
  await ended(91);
  await archive();
  assert.equal((await get(id)).status, 'archived');
});

test('a trip can have more sessions than a page', { timeout: 60_000 }, async () => {
  const { agent, conversation } = await rows();
  const trip = newTrip();
  await sql(
    `INSERT INTO chat_sessions (conversation_id, iso_agent_id, avinode_trip_id, status)
     SELECT '${conversation}', '${agent}', '${trip}', 'completed' FROM generate_series(1, 401)`,
  );
  const found = await client().getChatSessionsByTripId(trip);
  assert.equal(new Set(found.map((session) => session.id)).size, 401);
});
