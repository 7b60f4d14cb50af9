// The client of the sessions API, and the error that it throws.

export type { components, operations, paths } from './api.js';
export { createClient, unwrap } from './client.js';
export type {
  ChatSession,
  Client,
  ConversationType,
  Filter,
  NewChatSession,
  QuoteInfo,
  Settings,
  TripInfo,
} from './client.js';
export type { EventFilter, SessionEvent, StreamEntry } from './events.js';
export { ProblemError } from './problem.js';
export type { Problem } from './problem.js';
