import { createHmac } from 'node:crypto';

/** `hmac-sha256-hex=` and the HMAC-SHA256 of the raw body; the secret in Unicode form NFKD, as UTF-8. */
export const webhookSignature = (secret: string, body: Buffer): string => `hmac-sha256-hex=${createHmac('sha256', Buffer.from(secret.normalize('NFKD'), 'utf8')).update(body).digest('hex')}`;
