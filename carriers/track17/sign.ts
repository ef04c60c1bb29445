import { createHash } from 'node:crypto';

/** Of a webhook: lower-case hexadecimal SHA-256 of `rawBody + "/" + apiKey` (confidence M: community sources). */
export const webhookSign = (body: Buffer, apiKey: string): string => createHash('sha256').update(body).update(`/${apiKey}`, 'utf8').digest('hex');
