// What the service refuses, as an error to be caught: an RFC 9457 problem, and what surrounded it.

import type { components } from './api.js';

/** A problem as the service sends it. */
export type Problem = components['schemas']['Problem'];

const OURS = 'urn:avinode-ingest:problem:';

/** The service refused a call. What never reached it is thrown as `fetch` throws it. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    /** The status code of the answer. */
    readonly status: number,
    /** What the service said; made up from the status where a proxy answered in its place. */
    readonly problem: Problem,
    /** After how many seconds to send it again; null where the answer does not say. */
    readonly retryAfter: number | null,
  ) {
    super(`${problem.title}: ${problem.detail}`);
  }

  /** The kind, such as `no-such-session`, `invalid` or `busy`. */
  get kind(): string {
    return this.problem.type.startsWith(OURS) ? this.problem.type.slice(OURS.length) : this.problem.type;
  }

  /** Reads a refusal; `body` is its parsed JSON, or text where it is none. */
  static of(response: Response, body: unknown): ProblemError {
    const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
    const retryAfter = Number.isFinite(seconds) ? seconds : null;
    return new ProblemError(response.status, isProblem(body) ? body : foreign(response), retryAfter);
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'type' in body && 'title' in body && 'detail' in body;
}

function foreign(response: Response): Problem {
  return {
    type: 'about:blank',
    title: response.statusText || 'Refused',
    status: response.status,
    detail: `The answer was ${response.status} and no problem of avinode-ingest.`,
  };
}
