// The ten functions under the names that the application imports from `@/lib/sessions/track-chat-session`, of a client
// by INGEST_URL and INGEST_TOKEN. They are read at the first call, not at the import: building needs neither.

import { createClient, type Client } from './client.js';

let client: Client | undefined;

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function the<Name extends keyof Client>(name: Name): Client[Name] {
  client ??= createClient({ baseUrl: setting('INGEST_URL'), token: setting('INGEST_TOKEN') });
  return client[name];
}

export const createOrUpdateChatSession: Client['createOrUpdateChatSession'] = async (...given) =>
  the('createOrUpdateChatSession')(...given);

export const getActiveChatSession: Client['getActiveChatSession'] = async (...given) =>
  the('getActiveChatSession')(...given);

export const getChatSessionByRequest: Client['getChatSessionByRequest'] = async (...given) =>
  the('getChatSessionByRequest')(...given);

export const getChatSessionsByTripId: Client['getChatSessionsByTripId'] = async (...given) =>
  the('getChatSessionsByTripId')(...given);

export const updateChatSessionActivity: Client['updateChatSessionActivity'] = async (...given) =>
  the('updateChatSessionActivity')(...given);

export const updateChatSessionWithTripInfo: Client['updateChatSessionWithTripInfo'] = async (...given) =>
  the('updateChatSessionWithTripInfo')(...given);

export const updateChatSessionWithQuote: Client['updateChatSessionWithQuote'] = async (...given) =>
  the('updateChatSessionWithQuote')(...given);

export const updateChatSessionWithProposal: Client['updateChatSessionWithProposal'] = async (...given) =>
  the('updateChatSessionWithProposal')(...given);

export const completeChatSession: Client['completeChatSession'] = async (...given) =>
  the('completeChatSession')(...given);

export const getUserActiveChatSessions: Client['getUserActiveChatSessions'] = async (...given) =>
  the('getUserActiveChatSessions')(...given);
