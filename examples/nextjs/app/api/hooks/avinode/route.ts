// POST /api/hooks/avinode receives the webhooks of avinode-ingest (INGEST_NOTIFY_URL), signed as Standard Webhooks describes it.

import { Webhook, WebhookVerificationError } from 'standardwebhooks';

import { setting } from '@/lib/ingest';
import { record, type SessionChanged } from '@/lib/session-changes';

export async function POST(request: Request): Promise<Response> {
  // The signature is over the exact text: parse it only after the verification.
  const text = await request.text();
  let event: SessionChanged;
  try {
    const webhook = new Webhook(setting('INGEST_NOTIFY_SECRET'));
    event = webhook.verify(text, Object.fromEntries(request.headers)) as SessionChanged;
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return Response.json({ error: 'the signature is not valid' }, { status: 401 });
  }
  if (event.type === 'session.changed') record(event.data);
  // Another type, of a newer service, is acknowledged: otherwise it would be sent again.
  return new Response(null, { status: 204 });
}
