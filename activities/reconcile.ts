import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Context } from '@temporalio/activity';
import type { Location, LocationKind } from '../db/network.ts';
import { pullDue, recordFailedPull, snapshotExists } from '../db/reconciliation/pull.ts';
import { nextSnapshot, reconcileSnapshot } from '../db/reconciliation/reconcile.ts';
import { stageSnapshot, type SnapshotHead } from '../db/reconciliation/stage-snapshot.ts';
import { PartnerRefused, PartnerUnavailable } from '../domain/http-port.ts';
import { Problem } from '../domain/problem.ts';
import { toRow } from '../domain/stock/counted-row.ts';
import { createLocationPartner } from '../partners/location-partner.ts';
import type { ActivityDeps } from './deps.ts';

const ATTEMPTS = 6;
const SOURCE: Record<LocationKind, SnapshotHead['source']> = { warehouse: 'wms', store: 'pos', dealer: 'dealer', third_party: 'third_party', vendor: 'third_party' };

/** `snapshot`: the one that was processed, null when none waits. `pullDue`: when the partner is to be asked, ISO 8601. */
export type ReconciliationFacts = { snapshot: string | null; outcome: 'done' | 'refused' | null; pullDue: string | null };

/** The steps of `reconciliation/<location>`. */
export function createReconciliation(deps: ActivityDeps) {
  const { writer, network, vault, http } = deps;
  const locationOf = (code: string): Location => {
    const location = network.locations.get(code);
    if (!location) throw new Error(`location ${code} is not known (yet)`);
    return location;
  };
  return {
    /** Processes the location's next snapshot, a chunk at a time; killed half-way, the next attempt goes on where this one was. */
    async reconcileNext(ref: { location: string }): Promise<ReconciliationFacts> {
      const location = locationOf(ref.location);
      const next = await nextSnapshot(writer.pool, location.id);
      const current = Context.current();
      const onChunk = (): void => {
        current.heartbeat();
        current.cancellationSignal.throwIfAborted(); // a worker that stops leaves the rest to another one
      };
      const outcome = next ? await reconcileSnapshot(writer, next.id, { onChunk }) : null;
      const due = await pullDue(writer.pool, location, writer.clock());
      return { snapshot: next?.externalId ?? null, outcome, pullDue: due?.toISOString() ?? null };
    },

    /** Asks the partner for its stock, as the snapshot of this due time: again, it is the same snapshot. What it does not tell is kept as a refused one. */
    async pullSnapshot(ref: { location: string; due: string }): Promise<{ staged: boolean }> {
      const location = locationOf(ref.location);
      const id = `pull-${ref.due}`;
      if (location.partnerUrl === null || await snapshotExists(writer.pool, location.id, id)) return { staged: false };
      const head: SnapshotHead = { locationId: location.id, location: location.code, id, kind: 'full', source: SOURCE[location.kind], origin: 'pull', takenAt: writer.clock() };
      try {
        const secret = location.partnerSecret === null ? null : vault.openSecret(location.partnerSecret);
        const { takenAt, lines } = await createLocationPartner(http, location.partnerUrl, secret).pullSnapshot(location.code, `stock-${location.code}-${ref.due}`);
        const rows = Readable.from(lines.map((l, i) => toRow(i + 1, l)));
        await stageSnapshot(writer, { ...head, takenAt: new Date(takenAt) }, { rows, hash: () => createHash('sha256').update(JSON.stringify(lines)).digest(), strict: false });
        return { staged: true };
      } catch (error) {
        const over = error instanceof PartnerRefused || error instanceof Problem || (error instanceof PartnerUnavailable && Context.current().info.attempt >= ATTEMPTS);
        if (!over) throw error;
        await recordFailedPull(writer.pool, head, writer.clock(), error.message);
        return { staged: false };
      }
    },
  };
}
