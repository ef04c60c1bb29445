import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { SavedShop, ShopEvent } from './order.ts';

export type KeptState = { shop: SavedShop; memory: Record<string, object>; hookUrl: string; untold: ShopEvent[] };

/** A platform's state in a file, written whole (a demo's shop is small) and only when it has changed. Without a path nothing is kept. */
export function openState(path: string | undefined): { saved: KeptState | null; keep(state: KeptState): void } {
  if (path === undefined) return { saved: null, keep: () => undefined };
  let last = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return {
    saved: last === '' ? null : JSON.parse(last) as KeptState,
    keep(state) {
      const text = JSON.stringify(state);
      if (text === last) return;
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
      last = text;
    },
  };
}
