import { PartnerRefused, PartnerUnavailable, textField } from '../../domain/http-port.ts';
import type { MessengerKind } from '../messenger.ts';

/**
 * Any gateway of the house: `POST {url}/v1/messages` {messageId, way, to, subject, text, template, params} → 2xx {ref}; the same messageId is the same message. `GET {url}/v1/messages/{messageId}` →
 * {state: under_way | delivered | failed, reason}. Signed as Standard Webhooks.
 */
export const generic: MessengerKind = {
  kind: 'generic', name: 'Generic gateway', ways: ['wecom', 'sms', 'email'], repeats: 'keyed',
  settings: {
    required: ['url'],
    properties: {
      url: { type: 'string', pattern: '^https?://', description: 'where the gateway is, without the slash at the end' },
      secret: { type: 'string', pattern: '^whsec_[A-Za-z0-9+/]{32,}={0,2}$', secret: true, description: 'the secret of the Standard Webhooks signature (whsec_ and base64)' },
    },
  },
  connect({ settings, secrets }, io) {
    const base = String(settings['url']);
    const secret = secrets['secret'] ?? null;
    return {
      async send({ key, way, to, subject, text, providerTemplate, params }) {
        const answer = await io.signed({ method: 'POST', url: `${base}/v1/messages`, secret, messageId: key, body: { messageId: key, way, to, subject, text, template: providerTemplate, params } });
        if (answer.status >= 200 && answer.status < 300) return { ref: textField(answer.body, 'ref') };
        // The gateway knows the message but not its fate: the same question again is safe.
        if (answer.status === 408 || answer.status === 409) throw new PartnerUnavailable(`the gateway answered ${answer.status}`);
        throw new PartnerRefused(answer.status, word(textField(answer.body, 'code')) ?? `the gateway answered ${answer.status}`);
      },
      async state({ key }) {
        const { status, body } = await io.signed({ method: 'GET', url: `${base}/v1/messages/${encodeURIComponent(key)}`, secret, messageId: key });
        const state = status === 200 ? textField(body, 'state') : null;
        if (state === 'failed') return { state, reason: word(textField(body, 'reason')) ?? 'the gateway does not say why' };
        return { state: state === 'delivered' ? 'delivered' : 'under_way' };
      },
    };
  },
};

/** A code, never a sentence: that might hold an address. */
const word = (text: string | null): string | null => (text !== null && /^[\w.-]{1,64}$/.test(text) ? text : null);
