// The four integration points of the application's session tracking, and its archive, against a running service.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { taken } from '../src/index.js';
import * as tracking from '../src/track-chat-session.js';
import { client, newTrip, quoteComes, rows, sql, until } from './application.js';

test('a session goes from its first message to the archive', { timeout: 60_000 }, async () => {
  const { api } = client();
  const { agent, conversation, request, proposal } = await rows();
  const trip = newTrip();
  const get = async (id: string) => taken(await api.GET('/v1/sessions/{id}', { params: { path: { id } } }));
  const archive = async () => taken(await api.POST('/v1/sessions/archive'));

  assert.equal(await tracking.getActiveChatSession(conversation), null);
  const begun = await tracking.createOrUpdateChatSession({
    conversation_id: conversation,
    iso_agent_id: agent,
    status: 'active',
    current_step: 'understanding_request',
    workflow_state: { passengers: 4 },
  });
  const id = begun.id;

  // 1. The chat route: a message was sent.
  const session = await tracking.getActiveChatSession(conversation);
  assert.equal(session?.id, id);
  const moved = await tracking.updateChatSessionActivity(id, 1);
  assert.equal(moved.message_count, 1);
  assert.ok(Date.parse(moved.last_activity_at ?? '') > Date.parse(begun.last_activity_at ?? ''));

  // 2. A trip was created.
  const tripped = await tracking.updateChatSessionWithTripInfo(id, {
    avinode_trip_id: trip,
    avinode_rfp_id: 'rfp-123',
    request_id: request,
    current_step: 'requesting_quotes',
    workflow_state: { bags: 6 },
  });
  assert.deepEqual(tripped.workflow_state, { passengers: 4, bags: 6 });
  assert.equal(tripped.current_step, 'requesting_quotes');
  assert.equal((await tracking.getChatSessionByRequest(request))?.id, id);

  // 3. A quote comes by the webhook, which counts it; the application tells of the same one, and it counts once.
  await quoteComes(trip, 48_250);
  const [quoted] = await until(
    () => tracking.getChatSessionsByTripId(trip),
    ([found]) => found?.quotes_received_count === 1,
  );
  assert.equal(quoted?.operator_name, 'Northwind Jets');
  assert.equal(quoted.total_price, '48250.00');
  const quote = quoted.primary_quote_id;
  assert.ok(quote);
  for (const found of await tracking.getChatSessionsByTripId(trip)) {
    const told = await tracking.updateChatSessionWithQuote(found.id, quote, {
      quotes_expected_count: 5,
      primary_quote_id: quote,
    });
    assert.deepEqual([told.quotes_received_count, told.quotes_expected_count], [1, 5]);
    assert.ok(told.primary_quote_pinned);
  }
  assert.deepEqual((await tracking.getUserActiveChatSessions(agent)).map((found) => found.id), [id]);

  // 4. A proposal is generated and sent.
  assert.equal((await tracking.updateChatSessionWithProposal(id, proposal)).current_step, 'proposal_ready');
  const completed = await tracking.completeChatSession(id);
  assert.equal(completed.status, 'completed');
  assert.ok(completed.session_ended_at);
  assert.deepEqual(await tracking.getUserActiveChatSessions(agent), []);

  // It is archived once it has been completed for more than 90 days.
  const ended = (days: number) =>
    sql(`UPDATE chat_sessions SET session_ended_at = now() - interval '${days} days' WHERE id = '${id}'`);
  await ended(89);
  await archive();
  assert.equal((await get(id)).status, 'completed');
  await ended(91);
  await archive();
  assert.equal((await get(id)).status, 'archived');
});

test('a trip may have more sessions than a page holds', { timeout: 60_000 }, async () => {
  const { agent, conversation } = await rows();
  const trip = newTrip();
  await sql(
    `INSERT INTO chat_sessions (conversation_id, iso_agent_id, avinode_trip_id, status)
     SELECT '${conversation}', '${agent}', '${trip}', 'completed' FROM generate_series(1, 401)`,
  );
  const found = await client().getChatSessionsByTripId(trip);
  assert.equal(new Set(found.map((session) => session.id)).size, 401);
});
