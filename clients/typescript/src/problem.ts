// Rejected calls as an error class: an RFC 9457 problem, its status and its Retry-After header.

import type { components } from './api.js';

/** An RFC 9457 problem. */
export type Problem = components['schemas']['Problem'];

const TYPE_PREFIX = 'urn:avinode-ingest:problem:';

/** The service rejected a call. Network errors are thrown as `fetch` throws them. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    /** The HTTP status code. */
    readonly status: number,
    /** The problem; derived from the status if the response is not from the service, but from a proxy. */
    readonly problem: Problem,
    /** Seconds after which the call can be repeated, or null. */
    readonly retryAfter: number | null,
  ) {
    super(`${problem.title}: ${problem.detail}`);
  }

  /** The last part of the type, for example `session-not-found`, `validation-failed` or `busy`. */
  get kind(): string {
    return this.problem.type.startsWith(TYPE_PREFIX) ? this.problem.type.slice(TYPE_PREFIX.length) : this.problem.type;
  }

  /** Creates an error from a response; `body` is its parsed JSON, or its text. */
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
    title: response.statusText || 'Error',
    status: response.status,
    detail: `The response has the status ${response.status} and is not from avinode-ingest.`,
  };
}
