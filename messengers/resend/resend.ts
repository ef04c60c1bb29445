import { PartnerRefused, PartnerThrottled, PartnerUnavailable, textField } from '../../domain/http-port.ts';
import { json, retryAfterMs, type MessengerAnswer, type MessengerKind } from '../messenger.ts';

const FAILED = new Set(['bounced', 'failed', 'canceled', 'suppressed']);
const DELIVERED = new Set(['delivered', 'opened', 'clicked', 'complained']);

/**
 * E-mail by the HTTP API of Resend: `POST /emails` with `Idempotency-Key` (kept 24 h there: a message is given up before), `GET /emails/{id}` → `last_event`.
 * Errors are `{statusCode, name, message}`; 409 `concurrent_idempotent_requests` means that the first one is still at work.
 */
export const resend: MessengerKind = {
  kind: 'resend', name: 'E-mail by Resend', ways: ['email'], repeats: 'keyed',
  settings: {
    required: ['from', 'apiKey'],
    properties: {
      from: { type: 'string', pattern: '@', description: 'the sender: shop@example.com or Name <shop@example.com>' },
      apiKey: { type: 'string', minLength: 8, secret: true, description: 'the API key (re_…)' },
      url: { type: 'string', pattern: '^https?://', default: 'https://api.resend.com', description: 'where the API is' },
    },
  },
  connect({ settings, secrets }, io) {
    const base = String(settings['url']);
    const headers = { authorization: `Bearer ${secrets['apiKey'] ?? ''}`, 'content-type': 'application/json' };
    return {
      async send({ key, to, subject, text }) {
        const answer = await io.call({ method: 'POST', url: `${base}/emails`, headers: { ...headers, 'idempotency-key': key }, body: JSON.stringify({ from: settings['from'], to: [to], subject: subject ?? text.slice(0, 78), text }) });
        const body = json(answer.text);
        const id = textField(body, 'id');
        if (answer.status === 200 && id !== null) return { ref: id };
        throw refusal(answer, body, io.now());
      },
      async state({ ref }) {
        if (ref === null) return { state: 'under_way' };
        const answer = await io.call({ method: 'GET', url: `${base}/emails/${encodeURIComponent(ref)}`, headers });
        const event = answer.status === 200 ? textField(json(answer.text), 'last_event') : null;
        if (event !== null && FAILED.has(event)) return { state: 'failed', reason: event };
        return { state: event !== null && DELIVERED.has(event) ? 'delivered' : 'under_way' };
      },
    };
  },
};

function refusal(answer: MessengerAnswer, body: unknown, now: number): Error {
  const name = textField(body, 'name') ?? `status ${answer.status}`;
  if (answer.status === 429) return new PartnerThrottled(name, retryAfterMs(answer.headers, now));
  if (answer.status >= 500 || answer.status === 409 || answer.status === 200) return new PartnerUnavailable(name);
  return new PartnerRefused(answer.status, name);
}
