// The ten operations of the application's session tracking, with the arguments that it always gave them. Paths,
// parameters and bodies are checked against `api.ts`, which is made from the service's own description.

import createFetch from 'openapi-fetch';

import type { components, operations, paths } from './api.js';
import { ProblemError } from './problem.js';

type Schemas = components['schemas'];

/** A row of `chat_sessions`, and what it refers to, for people. */
export type ChatSession = Schemas['ChatSession'];
/** What `createOrUpdateChatSession` takes. */
export type NewChatSession = Schemas['NewChatSession'];
/** What `updateChatSessionWithTripInfo` changes: absent stays, null is cleared. */
export type TripInfo = Schemas['TripPatch'];
/** What `updateChatSessionWithQuote` tells besides the quote. */
export type QuoteInfo = Omit<Schemas['QuoteUpdate'], 'quote_id'>;
/** What sessions are found by. */
export type Filter = Omit<NonNullable<operations['getChatSessions']['parameters']['query']>, 'limit' | 'cursor'>;

/** Where the service is, and who calls. */
export interface Settings {
  /** The service's address, such as `http://127.0.0.1:8080`. */
  baseUrl: string;
  /** A token of INGEST_API_TOKENS; changes take the scope `write`. */
  token: string;
  /** How long a call may take, in milliseconds; 10,000 where it is not said. */
  timeout?: number;
}

/** The operations. Each is a plain function: it may be taken out of the client and passed on. */
export type Client = ReturnType<typeof createClient>;

const PAGE = 200; // the most that a page of a list holds

/** Makes a client. Nothing is sent yet. */
export function createClient({ baseUrl, token, timeout = 10_000 }: Settings) {
  const api = createFetch<paths>({
    baseUrl,
    headers: { Authorization: `Bearer ${token}` },
    fetch: (request) => fetch(request, { signal: AbortSignal.timeout(timeout) }),
  });
  const of = (id: string) => ({ path: { id } });

  async function newest(query: Filter): Promise<ChatSession | null> {
    const found = taken(await api.GET('/v1/sessions', { params: { query: { ...query, limit: 1 } } }));
    return found.data[0] ?? null;
  }

  async function all(query: Filter): Promise<ChatSession[]> {
    // By id: a session whose activity moves while pages are read may stand on two of them.
    const found = new Map<string, ChatSession>();
    let cursor: string | undefined;
    do {
      const page = { ...query, limit: PAGE, ...(cursor && { cursor }) };
      const { data, next_cursor } = taken(await api.GET('/v1/sessions', { params: { query: page } }));
      for (const session of data) found.set(session.id, session);
      cursor = next_cursor ?? undefined;
    } while (cursor);
    return [...found.values()];
  }

  return {
    /** Everything else that the service answers, typed: `client.api.POST('/v1/sessions/archive')`. */
    api,

    /** Makes the conversation's session, or brings the one it has up to date. */
    createOrUpdateChatSession: async (session: NewChatSession): Promise<ChatSession> =>
      taken(await api.POST('/v1/sessions', { body: session })),

    /** The conversation's active session; null where it has none. */
    getActiveChatSession: (conversationId: string): Promise<ChatSession | null> =>
      newest({ conversation_id: conversationId, status: 'active' }),

    /** The request's session, the one with the newest activity of several; null where it has none. */
    getChatSessionByRequest: (requestId: string): Promise<ChatSession | null> => newest({ request_id: requestId }),

    /** All sessions of an Avinode trip, by either kind of its ids, the newest activity first. */
    getChatSessionsByTripId: (tripId: string): Promise<ChatSession[]> => all({ trip_id: tripId }),

    /** Something happened; `message_count` grows by `messages`. */
    updateChatSessionActivity: async (sessionId: string, messages = 0): Promise<ChatSession> =>
      taken(await api.POST('/v1/sessions/{id}/activity', { params: of(sessionId), body: { messages } })),

    /** What is known of the trip, and the step. */
    updateChatSessionWithTripInfo: async (sessionId: string, info: TripInfo): Promise<ChatSession> =>
      taken(await api.PATCH('/v1/sessions/{id}/trip', { params: of(sessionId), body: info })),

    /** A quote came. It counts once; without a `quotes_received_count` the count grows by itself. */
    updateChatSessionWithQuote: async (sessionId: string, quoteId: string, info: QuoteInfo = {}): Promise<ChatSession> =>
      taken(await api.POST('/v1/sessions/{id}/quotes', { params: of(sessionId), body: { ...info, quote_id: quoteId } })),

    /** A proposal was made: the step is `proposal_ready`. */
    updateChatSessionWithProposal: async (sessionId: string, proposalId: string): Promise<ChatSession> =>
      taken(await api.POST('/v1/sessions/{id}/proposal', { params: of(sessionId), body: { proposal_id: proposalId } })),

    /** The workflow is complete. */
    completeChatSession: async (sessionId: string): Promise<ChatSession> =>
      taken(await api.POST('/v1/sessions/{id}/complete', { params: of(sessionId) })),

    /** A broker's active sessions, the newest activity first. */
    getUserActiveChatSessions: (isoAgentId: string): Promise<ChatSession[]> =>
      all({ iso_agent_id: isoAgentId, status: 'active' }),
  };
}

/** What was answered, or the refusal as an error. */
export function taken<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw ProblemError.of(answer.response, answer.error);
  return answer.data;
}
