// The eleven operations of the application's session tracking, with the arguments that the application passes. Paths,
// parameters and bodies are checked against `api.ts`, which is generated from the service's OpenAPI document.

import createFetch from 'openapi-fetch';

import type { components, operations, paths } from './api.js';
import type { EventFilter, SessionEvent } from './events.js';
import { streamEvents } from './events.js';
import { ProblemError } from './problem.js';

type Schemas = components['schemas'];

/** A row of `chat_sessions` with all its columns, and names and prices of the rows that it refers to. */
export type ChatSession = Schemas['ChatSession'];
/** The body of `createOrUpdateChatSession`. */
export type NewChatSession = Schemas['NewChatSession'];
/** The type of a conversation. */
export type ConversationType = Schemas['ConversationType'];
/** The body of `updateChatSessionWithTripInfo`: an absent field is kept, a null field is cleared. */
export type TripInfo = Schemas['TripPatch'];
/** The body of `updateChatSessionWithQuote`, without the quote. */
export type QuoteInfo = Omit<Schemas['QuoteUpdate'], 'quote_id'>;
/** The filters of a list of sessions. */
export type Filter = Omit<NonNullable<operations['getChatSessions']['parameters']['query']>, 'limit' | 'cursor'>;

/** The address of the service, and the credentials. */
export interface Settings {
  /** The service's address, for example `http://127.0.0.1:8080`. */
  baseUrl: string;
  /** A token of INGEST_API_TOKENS; operations that write require the scope `write`. */
  token: string;
  /** Timeout of a call in milliseconds; 10,000 by default. */
  timeout?: number;
}

/** The operations. Each is a plain function that does not need `this`. */
export type Client = ReturnType<typeof createClient>;

const MAX_LIMIT = 200;

/** Creates a client. No request is sent yet. */
export function createClient({ baseUrl, token, timeout = 10_000 }: Settings) {
  const api = createFetch<paths>({
    baseUrl,
    headers: { Authorization: `Bearer ${token}` },
    fetch: (request) => fetch(request, { signal: AbortSignal.timeout(timeout) }),
  });
  const path = (id: string) => ({ path: { id } });

  async function newest(query: Filter): Promise<ChatSession | null> {
    const found = unwrap(await api.GET('/v1/sessions', { params: { query: { ...query, limit: 1 } } }));
    return found.data[0] ?? null;
  }

  async function all(query: Filter): Promise<ChatSession[]> {
    // By id: a session with new activity moves in the list and can be on two pages.
    const found = new Map<string, ChatSession>();
    let cursor: string | undefined;
    do {
      const page = { ...query, limit: MAX_LIMIT, ...(cursor && { cursor }) };
      const { data, next_cursor } = unwrap(await api.GET('/v1/sessions', { params: { query: page } }));
      for (const session of data) found.set(session.id, session);
      cursor = next_cursor ?? undefined;
    } while (cursor);
    return [...found.values()];
  }

  return {
    /** Every other operation, typed: `client.api.POST('/v1/sessions/archive')`. */
    api,

    /** Yields the entries of timelines as they become known, and connects again until its signal ends it. */
    sessionEvents: (filter: EventFilter = {}): AsyncGenerator<SessionEvent, void, undefined> =>
      streamEvents(baseUrl, token, filter),

    /** Creates or updates the session of a conversation. */
    createOrUpdateChatSession: async (session: NewChatSession): Promise<ChatSession> =>
      unwrap(await api.POST('/v1/sessions', { body: session })),

    /** Returns the conversation's active session, or null. */
    getActiveChatSession: (conversationId: string): Promise<ChatSession | null> =>
      newest({ conversation_id: conversationId, status: 'active' }),

    /** Returns the request's session with the newest activity, or null. */
    getChatSessionByRequest: (requestId: string): Promise<ChatSession | null> => newest({ request_id: requestId }),

    /** Returns all sessions of an Avinode trip, by either of its ids, newest activity first. */
    getChatSessionsByTripId: (tripId: string): Promise<ChatSession[]> => all({ trip_id: tripId }),

    /** Records activity and adds `messages` to `message_count`. */
    updateChatSessionActivity: async (sessionId: string, messages = 0): Promise<ChatSession> =>
      unwrap(await api.POST('/v1/sessions/{id}/activity', { params: path(sessionId), body: { messages } })),

    /** Updates the trip and the workflow step. */
    updateChatSessionWithTripInfo: async (sessionId: string, info: TripInfo): Promise<ChatSession> =>
      unwrap(await api.PATCH('/v1/sessions/{id}/trip', { params: path(sessionId), body: info })),

    /** Sets the type of the conversation. Rejected where the application's table has no column for it. */
    updateChatSessionType: async (sessionId: string, conversationType: ConversationType): Promise<ChatSession> =>
      unwrap(
        await api.PATCH('/v1/sessions/{id}/conversation-type', {
          params: path(sessionId),
          body: { conversation_type: conversationType },
        }),
      ),

    /** Records a quote, which is counted once. `quotes_received_count` overrides the count. */
    updateChatSessionWithQuote: async (sessionId: string, quoteId: string, info: QuoteInfo = {}): Promise<ChatSession> =>
      unwrap(await api.POST('/v1/sessions/{id}/quotes', { params: path(sessionId), body: { ...info, quote_id: quoteId } })),

    /** Attaches a proposal and sets the step `proposal_ready`. */
    updateChatSessionWithProposal: async (sessionId: string, proposalId: string): Promise<ChatSession> =>
      unwrap(await api.POST('/v1/sessions/{id}/proposal', { params: path(sessionId), body: { proposal_id: proposalId } })),

    /** Completes a session. */
    completeChatSession: async (sessionId: string): Promise<ChatSession> =>
      unwrap(await api.POST('/v1/sessions/{id}/complete', { params: path(sessionId) })),

    /** Returns a broker's active sessions, newest activity first. */
    getUserActiveChatSessions: (isoAgentId: string): Promise<ChatSession[]> =>
      all({ iso_agent_id: isoAgentId, status: 'active' }),
  };
}

/** Returns the data of a response, or throws its problem. */
export function unwrap<T>(result: { data?: T; error?: unknown; response: Response }): T {
  if (result.data === undefined) throw ProblemError.of(result.response, result.error);
  return result.data;
}
