// The last webhook of each session. A real application stores it in its database, with the version.

/** The parts of a webhook that this application uses (docs/changes.md, "Webhooks"). */
export interface SessionChanged {
  type: 'session.changed';
  data: {
    session_id: string;
    /** Rises with each different content of the session. */
    version: number;
    current_step: string | null;
    quotes_received_count: number;
    quotes_expected_count: number;
    primary_quote: { id: string; operator_name: string | null; total_price: string | null } | null;
  };
}

export type SessionState = SessionChanged['data'];

// Route handlers and pages are bundled apart: a variable of the module would exist twice.
const store = globalThis as typeof globalThis & { sessionStates?: Map<string, SessionState> };
const states = (store.sessionStates ??= new Map());

/** Stores a state unless a newer one is known: webhooks can arrive repeatedly and out of order. */
export function record(state: SessionState): void {
  const known = states.get(state.session_id);
  if (known && known.version >= state.version) return;
  states.set(state.session_id, state);
}

/** Returns the newest state of each session. */
export function newestStates(): SessionState[] {
  return [...states.values()];
}
