// The ten functions that the application imports from `@/lib/sessions/track-chat-session`, with a client configured by
// INGEST_URL and INGEST_TOKEN. Both are read at the first call, not at the import, so that a build needs neither.

import { createClient, type Client } from './client.js';

let client: Client | undefined;

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function operation<Name extends keyof Client>(name: Name): Client[Name] {
  client ??= createClient({ baseUrl: setting('INGEST_URL'), token: setting('INGEST_TOKEN') });
  return client[name];
}

export const createOrUpdateChatSession: Client['createOrUpdateChatSession'] = async (...args) =>
  operation('createOrUpdateChatSession')(...args);

export const getActiveChatSession: Client['getActiveChatSession'] = async (...args) =>
  operation('getActiveChatSession')(...args);

export const getChatSessionByRequest: Client['getChatSessionByRequest'] = async (...args) =>
  operation('getChatSessionByRequest')(...args);

export const getChatSessionsByTripId: Client['getChatSessionsByTripId'] = async (...args) =>
  operation('getChatSessionsByTripId')(...args);

export const updateChatSessionActivity: Client['updateChatSessionActivity'] = async (...args) =>
  operation('updateChatSessionActivity')(...args);

export const updateChatSessionWithTripInfo: Client['updateChatSessionWithTripInfo'] = async (...args) =>
  operation('updateChatSessionWithTripInfo')(...args);

export const updateChatSessionWithQuote: Client['updateChatSessionWithQuote'] = async (...args) =>
  operation('updateChatSessionWithQuote')(...args);

export const updateChatSessionWithProposal: Client['updateChatSessionWithProposal'] = async (...args) =>
  operation('updateChatSessionWithProposal')(...args);

export const completeChatSession: Client['completeChatSession'] = async (...args) =>
  operation('completeChatSession')(...args);

export const getUserActiveChatSessions: Client['getUserActiveChatSessions'] = async (...args) =>
  operation('getUserActiveChatSessions')(...args);
