// An application that installed the package from its archive: compiled in an empty project, then run beside a service
// (scripts/check-client).

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { createClient, ProblemError, unwrap, type ChatSession } from 'avinode-ingest-client';
import { getUserActiveChatSessions } from 'avinode-ingest-client/track-chat-session';

const baseUrl = process.env['INGEST_URL'] ?? '';
const client = createClient({ baseUrl, token: process.env['INGEST_TOKEN'] ?? '' });

const none: ChatSession | null = await client.getActiveChatSession(randomUUID());
assert.equal(none, null);
assert.deepEqual(await getUserActiveChatSessions(randomUUID()), []);
const statistics = unwrap(await client.api.GET('/v1/sessions/stats'));
assert.ok(Array.isArray(statistics.by_step));

const refused = createClient({ baseUrl, token: 'not-a-token-of-this-service' }).getActiveChatSession(randomUUID());
await assert.rejects(refused, (error) => error instanceof ProblemError && error.status === 401);
console.log('the packed client works');
