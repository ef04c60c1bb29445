import { WEBHOOK_EVENTS, type EventType } from '../../domain/webhooks/catalogue.ts';

const header = (name: string, description: string) => ({ name, in: 'header', required: true, description, schema: { type: 'string' } });

/** The event catalogue as the `webhooks` member of OpenAPI 3.1: what is sent to endpoints, version 1. */
export const webhookDocument = Object.fromEntries(Object.entries<EventType>(WEBHOOK_EVENTS).map(([type, { summary, data, lists }]) => [type, {
  post: {
    operationId: `webhook ${type}`, summary, tags: ['webhooks'], security: [],
    description: 'Signed as Standard Webhooks says. Answer 2xx within 20 s; the same webhook-id again is the same event. 410 ends the webhook, 429, 502 and 504 slow it down, retry-after is honoured.',
    parameters: [header('webhook-id', 'the event: evt_…'), header('webhook-timestamp', 'unix seconds of this try'), header('webhook-signature', '`v1,` and base64 of HMAC-SHA256 over id.timestamp.body, one for each secret that is in use')],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: {
        type: 'object', required: ['type', 'timestamp', 'data'],
        properties: {
          type: { type: 'string', const: type }, timestamp: { type: 'string', format: 'date-time', description: 'when it happened' },
          data: {
            type: 'object', required: [...(type === 'webhook.test' ? ['v'] : ['v', 'order', 'channel']), ...Object.keys(lists ?? {})],
            properties: {
              v: { type: 'integer', const: 1 }, order: { type: 'string', description: 'ord_…' }, channel: { type: 'string' },
              ...Object.fromEntries(data.map((name) => [name === 'order' ? 'into' : name, { type: ['string', 'integer'] }])),
              ...Object.fromEntries(Object.entries(lists ?? {}).map(([name, fields]) => [name, {
                type: 'array', description: 'cut off where the event would be too large: the order has all', items: { type: 'object', properties: Object.fromEntries(fields.map((field) => [field, { type: ['string', 'integer'] }])) },
              }])),
            },
          },
        },
      } } },
    },
    responses: { '2XX': { description: 'taken' }, 410: { description: 'never again' } },
  },
}]));
