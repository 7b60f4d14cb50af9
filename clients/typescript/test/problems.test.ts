// Rejected calls throw a ProblemError with the status, the problem and its kind.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { createClient, ProblemError } from '../src/index.js';
import { client, rows, setting } from './application.js';

async function rejected(call: Promise<unknown>): Promise<ProblemError> {
  const error: unknown = await call.then(
    () => assert.fail('the call was not rejected'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProblemError, String(error));
  return error;
}

test('a missing session has a kind of its own', async () => {
  const error = await rejected(client().completeChatSession(randomUUID()));
  assert.deepEqual([error.status, error.kind, error.retryAfter], [404, 'session-not-found', null]);
  assert.match(error.message, /No chat session has this id/);
});

test('an invalid field is named', async () => {
  const { agent } = await rows();
  const call = client().createOrUpdateChatSession({ conversation_id: randomUUID(), iso_agent_id: agent });
  const error = await rejected(call);
  assert.equal(error.kind, 'validation-failed');
  assert.deepEqual(error.problem.errors?.map(({ field }) => field), ['conversation_id']);
});

test('an invalid token is rejected', async () => {
  const unknown = createClient({ baseUrl: setting('INGEST_URL'), token: 'a-token-that-is-not-configured' });
  const error = await rejected(unknown.getUserActiveChatSessions(randomUUID()));
  assert.deepEqual([error.status, error.kind], [401, 'unauthorized']);
});

test('an operation that the status does not allow is a conflict', async () => {
  const { agent, conversation } = await rows();
  const session = await client().createOrUpdateChatSession({ conversation_id: conversation, iso_agent_id: agent });
  await client().completeChatSession(session.id);
  const again = client().api.POST('/v1/sessions/{id}/resume', { params: { path: { id: session.id } } });
  const { error, response } = await again;
  assert.equal(ProblemError.of(response, error).kind, 'invalid-status');
});

test('a response of a proxy becomes a problem too', () => {
  const response = new Response('<html>', { status: 502, statusText: 'Bad Gateway', headers: { 'Retry-After': '7' } });
  const error = ProblemError.of(response, '<html>');
  assert.deepEqual([error.status, error.kind, error.retryAfter], [502, 'about:blank', 7]);
});
