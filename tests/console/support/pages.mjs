// Every page of the console, with data for each.

import { randomUUID } from 'node:crypto';

import { MARK } from './browser.mjs';
import { api, board, newSession, quoteEvent, send, sql, trigger, until } from './service.mjs';

/** Ends attributes and elements, and calls scripts in each of the ways that HTML has. */
export const HOSTILE = `"'></title></textarea><script>window.${MARK}=1</script><img src=x onerror="window.${MARK}=2">`
  + `<svg onload="window.${MARK}=3"></svg><a href="javascript:window.${MARK}=4">x</a>{{7*7}}\u202Etxt`;

/** Stores hostile texts wherever the application, Avinode and admins can write one, and returns the paths of the pages. */
export async function hostilePages() {
  const session = await newSession({ agent: HOSTILE, subject: HOSTILE, from: HOSTILE, to: HOSTILE, rfp: 'rfp-hostile' });
  const quote = `aquote-${randomUUID()}`;
  const texts = { operator: HOSTILE, currency: 'USD', aircraft: HOSTILE, model: HOSTILE, tail: HOSTILE, status: HOSTILE };
  const quoted = await send(quoteEvent(session.trip, { quote, ...texts }));
  await until(async () => (await api('GET', `/v1/sessions/${session.id}`)).quotes_received_count === 1, 'the quote is counted');
  await trigger('message', '--trip', session.trip, '--text', HOSTILE.replace(/\u202E/, ''));
  await sql(
    `UPDATE chat_sessions SET avinode_rfq_id = :'text', current_step = :'text' WHERE id = :'session';
     UPDATE quotes SET operator_name = :'text', aircraft_type = :'text', aircraft_tail_number = :'text', decline_reason = :'text'
     WHERE id = (SELECT primary_quote_id FROM chat_sessions WHERE id = :'session');`,
    { text: HOSTILE, session: session.id },
  );
  const dead = await send(JSON.stringify({
    event: HOSTILE, eventId: `evt-${randomUUID()}`, timestamp: new Date().toISOString(), data: { type: HOSTILE, trip: { id: HOSTILE } },
  }));
  const job = await until(
    () => sql("SELECT id FROM avinode_ingest.dead_jobs WHERE delivery_id = :'dead'", { dead }), 'the job is dead',
  );
  await sql("UPDATE avinode_ingest.dead_jobs SET key = :'text', reason = 'a reason ' || :'text' WHERE id = :'job'", { text: HOSTILE, job });
  await sql(
    `INSERT INTO avinode_ingest.documents (resource_id, kind, requested_at, fetch_began_at, body, digest)
     VALUES (:'text', 'rfqs', now(), now(), convert_to(:'text', 'UTF8'), decode('00', 'hex'))`,
    { text: HOSTILE },
  );
  const document = await sql('SELECT max(id) FROM avinode_ingest.documents');
  const batch = await api('POST', '/v1/admin/batches', {
    action: 'retry', jobs: { text: `${HOSTILE.replace(/\u202E/, '')}` }, dry_run: true, note: HOSTILE.replace(/\u202E/, ''),
  });
  const encoded = encodeURIComponent(HOSTILE);
  return [
    '', '?status=paused', `?q=${encoded}`, `?q=${session.trip}`, `/sessions/${session.id}`,
    '/operations', '/operations/dead-letters', '/operations/dead-letters/group?kind=full_event&reason=a+reason',
    '/operations/jobs', '/operations/jobs?state=dead', `/operations/jobs?text=${encoded}`, `/operations/jobs/${job}`,
    '/operations/deliveries', `/operations/deliveries?text=${encoded}`, `/operations/deliveries/${quoted}`, `/operations/deliveries/${dead}`,
    '/operations/documents', `/operations/documents/${document}`,
    '/operations/batches', `/operations/batches/${batch.id}?text=${encoded}`,
    `/operations/trace?id=${encoded}`, `/operations/trace?id=${session.id}`, `/operations/trace?id=${quote}`,
    '/operations/maintenance', '/operations/checks?run=yes', `/operations/${encoded}`, `/sign-in?next=${encoded}`,
  ].map((path) => `${board}${path}`);
}
