import type { Knex } from 'knex';
import type { Store } from '../db/store.ts';
import type { Logger } from '../runtime/logger.ts';
import type { WebhookNetwork } from '../runtime/safe-post.ts';

/** Everything a route may use. */
export type ApiDeps = { store: Store; knex: Knex; logger: Logger; bodyLimit?: number; webhookNetwork?: WebhookNetwork };
