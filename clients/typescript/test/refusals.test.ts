// What is refused comes as one kind of error, which tells what was wrong and what to do.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { createClient, ProblemError } from '../src/index.js';
import { client, rows, setting } from './application.js';

async function refused(call: Promise<unknown>): Promise<ProblemError> {
  const error: unknown = await call.then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProblemError, String(error));
  return error;
}

test('a session that is not there is told by its kind', async () => {
  const error = await refused(client().completeChatSession(randomUUID()));
  assert.deepEqual([error.status, error.kind, error.retryAfter], [404, 'no-such-session', null]);
  assert.match(error.message, /No chat session has this id/);
});

test('a field that is wrong is named', async () => {
  const { agent } = await rows();
  const wrong = client().createOrUpdateChatSession({ conversation_id: randomUUID(), iso_agent_id: agent });
  const error = await refused(wrong);
  assert.equal(error.kind, 'invalid');
  assert.deepEqual(error.problem.errors?.map(({ field }) => field), ['conversation_id']);
});

test('a token that is not configured is refused', async () => {
  const stranger = createClient({ baseUrl: setting('INGEST_URL'), token: 'a-token-that-nobody-gave-out' });
  const error = await refused(stranger.getUserActiveChatSessions(randomUUID()));
  assert.deepEqual([error.status, error.kind], [401, 'unauthorized']);
});

test('a status that does not allow it is a conflict', async () => {
  const { agent, conversation } = await rows();
  const session = await client().createOrUpdateChatSession({ conversation_id: conversation, iso_agent_id: agent });
  await client().completeChatSession(session.id);
  const again = client().api.POST('/v1/sessions/{id}/resume', { params: { path: { id: session.id } } });
  const { error, response } = await again;
  assert.equal(ProblemError.of(response, error).kind, 'wrong-status');
});

test('an answer that is not of the service is a problem all the same', () => {
  const response = new Response('<html>', { status: 502, statusText: 'Bad Gateway', headers: { 'Retry-After': '7' } });
  const error = ProblemError.of(response, '<html>');
  assert.deepEqual([error.status, error.kind, error.retryAfter], [502, 'about:blank', 7]);
});
