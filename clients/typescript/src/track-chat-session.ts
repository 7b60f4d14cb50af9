// The functions and types that the application imports from `@/lib/sessions/track-chat-session`, with a client configured
// by INGEST_URL and INGEST_TOKEN. Both are read at the first call, not at the import, so that a build needs neither.
//
// As the application's own functions do, these never throw: a failed call is logged by console.error and returns null, false
// or an empty list. `createClient` of the package throws instead.

import { createClient, type Client, type ConversationType, type NewChatSession, type QuoteInfo } from './client.js';
import type { ChatSession, TripInfo } from './client.js';

export type { ChatSession, ConversationType } from './client.js';
/** The argument of `createOrUpdateChatSession`. */
export type ChatSessionInsert = NewChatSession;
/** Columns of a session that the update functions take. */
export type ChatSessionUpdate = TripInfo & QuoteInfo;

let client: Client | undefined;

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Calls an operation; on failure logs the error with the operation's name, and returns `failed`. */
async function attempt<T, F>(name: string, call: (client: Client) => Promise<T>, failed: F): Promise<T | F> {
  try {
    client ??= createClient({ baseUrl: setting('INGEST_URL'), token: setting('INGEST_TOKEN') });
    return await call(client);
  } catch (error) {
    console.error(`${name} failed:`, error);
    return failed;
  }
}

/** Creates or updates the session of a conversation; null on failure. */
export const createOrUpdateChatSession = (session: ChatSessionInsert): Promise<ChatSession | null> =>
  attempt('createOrUpdateChatSession', (client) => client.createOrUpdateChatSession(session), null);

/** Returns the conversation's active session; null if there is none, and on failure. */
export const getActiveChatSession = (conversationId: string): Promise<ChatSession | null> =>
  attempt('getActiveChatSession', (client) => client.getActiveChatSession(conversationId), null);

/** Returns the request's session with the newest activity; null if there is none, and on failure. */
export const getChatSessionByRequest = (requestId: string): Promise<ChatSession | null> =>
  attempt('getChatSessionByRequest', (client) => client.getChatSessionByRequest(requestId), null);

/** Returns all sessions of an Avinode trip, newest activity first; an empty list on failure. */
export const getChatSessionsByTripId = (tripId: string): Promise<ChatSession[]> =>
  attempt('getChatSessionsByTripId', (client) => client.getChatSessionsByTripId(tripId), []);

/** Records activity and adds `messages` to `message_count`; null on failure. */
export const updateChatSessionActivity = (sessionId: string, messages = 0): Promise<ChatSession | null> =>
  attempt('updateChatSessionActivity', (client) => client.updateChatSessionActivity(sessionId, messages), null);

/** Updates the trip and the workflow step; null on failure. */
export const updateChatSessionWithTripInfo = (sessionId: string, info: TripInfo): Promise<ChatSession | null> =>
  attempt('updateChatSessionWithTripInfo', (client) => client.updateChatSessionWithTripInfo(sessionId, info), null);

/** Sets the type of the conversation; false on failure. */
export const updateChatSessionType = (sessionId: string, conversationType: ConversationType): Promise<boolean> =>
  attempt(
    'updateChatSessionType',
    async (client) => {
      await client.updateChatSessionType(sessionId, conversationType);
      return true;
    },
    false,
  );

/** Records a quote, which is counted once; null on failure. */
export const updateChatSessionWithQuote = (
  sessionId: string,
  quoteId: string,
  info: QuoteInfo = {},
): Promise<ChatSession | null> =>
  attempt('updateChatSessionWithQuote', (client) => client.updateChatSessionWithQuote(sessionId, quoteId, info), null);

/** Attaches a proposal and sets the step `proposal_ready`; null on failure. */
export const updateChatSessionWithProposal = (sessionId: string, proposalId: string): Promise<ChatSession | null> =>
  attempt('updateChatSessionWithProposal', (client) => client.updateChatSessionWithProposal(sessionId, proposalId), null);

/** Completes a session; null on failure. */
export const completeChatSession = (sessionId: string): Promise<ChatSession | null> =>
  attempt('completeChatSession', (client) => client.completeChatSession(sessionId), null);

/** Returns a broker's active sessions, newest activity first; an empty list on failure. */
export const getUserActiveChatSessions = (isoAgentId: string): Promise<ChatSession[]> =>
  attempt('getUserActiveChatSessions', (client) => client.getUserActiveChatSessions(isoAgentId), []);
