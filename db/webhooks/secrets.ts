import { createHmac, randomBytes } from 'node:crypto';
import type { Vault } from '../vault.ts';

/** ISO times; `until` null: the one in use. */
export type WebhookSecret = { secret: string; from: string; until: string | null };

/** 32 random bytes as Standard Webhooks writes them. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
export const sealSecrets = (vault: Vault, secrets: readonly WebhookSecret[]): Buffer => vault.sealSecret(JSON.stringify(secrets));
export const openSecrets = (vault: Vault, sealed: Buffer): WebhookSecret[] => JSON.parse(vault.openSecret(sealed)) as WebhookSecret[];
export const liveSecrets = (secrets: readonly WebhookSecret[], now: Date): WebhookSecret[] => secrets.filter((s) => s.until === null || Date.parse(s.until) > now.getTime());

/** The `webhook-signature` of Standard Webhooks: one signature for each secret, separated by spaces. `timestamp`: unix seconds. */
export function signatures(secrets: readonly string[], id: string, timestamp: number, body: string): string {
  return secrets.map((s) => `v1,${createHmac('sha256', Buffer.from(s.replace(/^whsec_/, ''), 'base64')).update(`${id}.${timestamp}.${body}`).digest('base64')}`).join(' ');
}
