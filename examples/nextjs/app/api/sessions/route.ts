// POST /api/sessions creates the session of a conversation, or updates it.

import { ProblemError } from 'avinode-ingest-client';

import { currentAgent } from '@/lib/current-agent';
import { ingest } from '@/lib/ingest';

interface NewSession {
  conversationId: string;
  requestId?: string;
  tripId?: string;
}

export async function POST(request: Request): Promise<Response> {
  const body: unknown = await request.json().catch(() => null);
  if (!isNewSession(body)) return Response.json({ error: 'conversationId is required' }, { status: 400 });
  try {
    const session = await ingest().createOrUpdateChatSession({
      conversation_id: body.conversationId,
      iso_agent_id: await currentAgent(),
      ...(body.requestId && { request_id: body.requestId }),
      ...(body.tripId && { avinode_trip_id: body.tripId, current_step: 'requesting_quotes' }),
    });
    return Response.json({ id: session.id, status: session.status }, { status: 201 });
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // The caller's mistakes are answered as such; everything else is the server's.
    const status = error.status === 404 || error.status === 409 || error.status === 422 ? error.status : 502;
    console.error(`creating a session failed: ${error.message}`);
    return Response.json({ error: error.kind }, { status });
  }
}

function isNewSession(body: unknown): body is NewSession {
  if (typeof body !== 'object' || body === null) return false;
  const { conversationId, requestId, tripId } = body as Record<string, unknown>;
  const optional = [requestId, tripId].every((id) => id === undefined || typeof id === 'string');
  return typeof conversationId === 'string' && optional;
}
