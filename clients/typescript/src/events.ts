// The stream of timelines as an asynchronous generator, which connects again where it was interrupted.

import type { components } from './api.js';
import { ProblemError } from './problem.js';

/** An entry of a session's timeline. */
export type StreamEntry = components['schemas']['StreamEntry'];

/** The events to read. */
export interface EventFilter {
  /** Only events of this session. */
  sessionId?: string;
  /** Only events of the sessions of this broker. */
  isoAgentId?: string;
  /** The `id` of the last event that was processed. Without it the stream begins now. */
  after?: string | undefined;
  /** Ends the stream. */
  signal?: AbortSignal;
}

/** An event of the stream. */
export interface SessionEvent {
  /** The position to store: a stream with it as `after` goes on behind this event. */
  id: string;
  /** The entry; null for an event that only moves the position. */
  entry: StreamEntry | null;
}

/** The service sends something at least every 15 s; after this time in milliseconds the connection is given up. */
const SILENCE = 45_000;
/** The pause before the next connection, in milliseconds. */
const PAUSE = 1_000;

/**
 * Yields the events, and connects again until `signal` ends it. Throws a ProblemError if the service refuses the stream: its kind is
 * `position-expired` where `after` is not kept any more.
 */
export async function* streamEvents(
  baseUrl: string,
  token: string,
  { sessionId, isoAgentId, after, signal }: EventFilter,
): AsyncGenerator<SessionEvent, void, undefined> {
  const url = new URL('/v1/sessions/events', baseUrl);
  if (sessionId !== undefined) url.searchParams.set('session_id', sessionId);
  if (isoAgentId !== undefined) url.searchParams.set('iso_agent_id', isoAgentId);
  let last = after;
  while (!signal?.aborted) {
    let pause = PAUSE;
    try {
      for await (const event of connection(url, token, last, signal)) {
        last = event.id;
        yield event;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof ProblemError) {
        if (error.status < 500) throw error;
        pause = Math.max(PAUSE, (error.retryAfter ?? 0) * 1000);
      }
    }
    await sleep(pause, signal);
  }
}

/** Yields the events of one connection. */
async function* connection(
  url: URL,
  token: string,
  last: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<SessionEvent, void, undefined> {
  const silence = new AbortController();
  const signals = signal ? [signal, silence.signal] : [silence.signal];
  let timer = setTimeout(() => silence.abort(), SILENCE);
  try {
    const headers = { Authorization: `Bearer ${token}`, ...(last !== undefined && { 'Last-Event-ID': last }) };
    const response = await fetch(url, { headers, signal: AbortSignal.any(signals) });
    if (!response.ok || !response.body) throw ProblemError.of(response, await response.json().catch(() => null));
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parse(block);
        if (event) yield event;
      }
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

/** Parses an event; null without an id. */
function parse(block: string): SessionEvent | null {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.set(name, value);
  }
  const id = fields.get('id');
  if (id === undefined) return null;
  const data = fields.get('data');
  const isEntry = fields.get('event') === 'timeline' && data !== undefined;
  return { id, entry: isEntry ? (JSON.parse(data) as StreamEntry) : null };
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
  });
}
