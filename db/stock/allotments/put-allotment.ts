import { Problem } from '../../../domain/problem.ts';
import { circle, mayStandUnder } from '../../../domain/stock/hierarchy.ts';
import { errorCode, type StockWriter } from '../../stock-writer.ts';
import type { Tx } from '../../tx.ts';
import { lockHierarchy, refuseDeclaration, type AllotmentRow } from './allotment.ts';

/** `parent`: its code; none: the shared stock. `reallocateEveryS`: how often its targets are met by themselves; none: by hand only. */
export type AllotmentInput = {
  name: string; kind: 'group' | 'channel' | 'campaign'; parent?: string; channel?: string; overflow: 'parent' | 'never' | 'borrow'; borrowLimit?: number;
  startsAt?: string; endsAt?: string; reallocateEveryS?: number;
};

type Checked = { parentId: number; channelId: number | null; startsAt: Date | null; endsAt: Date | null };
const UNIQUE_VIOLATION = '23505';

/**
 * Makes an allotment or changes it. Its kind and channel stay what they are; a closed one stays closed. Returns whether it is new. Throws Problem:
 * `unprocessable` for what makes no sense, `conflict` for a circle, a closed parent, a second open allotment for a channel.
 */
export async function putAllotment(writer: StockWriter, code: string, input: AllotmentInput): Promise<{ created: boolean }> {
  checkShape(input);
  return writer.change(async (tx) => {
    await lockHierarchy(tx);
    const known = await tx.one<AllotmentRow>(
      `select id, code, name, kind, parent_id "parentId", channel_id "channelId", overflow, borrow_limit "borrowLimit", starts_at "startsAt", ends_at "endsAt", closed_at "closedAt"
       from allotments where code = $1 and id <> 0 for no key update`, [code]);
    const checked = await checkPlace(tx, code, input, known?.id ?? null);
    if (known) refuseChange(known, input, checked);
    const id = await write(tx, code, input, checked, known?.id ?? null);
    await schedule(tx, id, input.reallocateEveryS ?? null);
    return { created: known === null };
  });
}

function checkShape(input: AllotmentInput): void {
  if ((input.overflow === 'borrow') !== (input.borrowLimit !== undefined)) {
    throw new Problem('unprocessable', input.overflow === 'borrow' ? 'overflow "borrow" needs borrowLimit: units a SKU' : `borrowLimit goes with overflow "borrow" only`, '/borrowLimit');
  }
  if (input.kind === 'channel' && input.channel === undefined) throw new Problem('unprocessable', 'an allotment of kind "channel" names its channel', '/channel');
  if (input.kind === 'group' && input.channel !== undefined) throw new Problem('unprocessable', 'a group is of several channels: leave channel out', '/channel');
  if (input.startsAt !== undefined && input.endsAt !== undefined && new Date(input.startsAt) >= new Date(input.endsAt)) throw new Problem('unprocessable', 'endsAt must be after startsAt', '/endsAt');
}

async function checkPlace(tx: Tx, code: string, input: AllotmentInput, id: number | null): Promise<Checked> {
  const channel = input.channel === undefined ? null : await tx.one<{ id: number }>('select id from channels where code = $1', [input.channel]);
  if (input.channel !== undefined && channel === null) throw new Problem('unknown_channel', `channel "${input.channel}" is not known`, '/channel');
  const rows = await tx.query<{ id: number; code: string; kind: AllotmentRow['kind']; parentId: number | null; closedAt: Date | null }>(
    'select id, code, kind, parent_id "parentId", closed_at "closedAt" from allotments');
  const parent = input.parent === undefined ? rows.find((r) => r.id === 0) : rows.find((r) => r.code === input.parent && r.id !== 0);
  if (input.parent === code) throw new Problem('conflict', `allotment "${code}" would stand under itself`, '/parent');
  if (!parent) throw new Problem('unprocessable', `allotment "${input.parent ?? ''}" does not exist`, '/parent');
  const way = id === null ? null : circle(id, parent.id, new Map(rows.map((r) => [r.id, r.parentId])));
  if (way) throw new Problem('conflict', `allotment "${code}" would stand under itself: ${[code, ...way.map((i) => rows.find((r) => r.id === i)?.code ?? '')].join(' → ')}`, '/parent');
  if (parent.closedAt) throw new Problem('conflict', `allotment "${parent.code}" was closed at ${parent.closedAt.toISOString()}: nothing can stand under it`, '/parent');
  if (!mayStandUnder(input.kind, parent.kind)) throw new Problem('unprocessable', `a ${input.kind} cannot stand under a ${parent.kind}; the order is shared stock, group, channel, campaign`, '/parent');
  return {
    parentId: parent.id, channelId: channel?.id ?? null,
    startsAt: input.startsAt === undefined ? null : new Date(input.startsAt), endsAt: input.endsAt === undefined ? null : new Date(input.endsAt),
  };
}

function refuseChange(known: AllotmentRow, input: AllotmentInput, checked: Checked): void {
  refuseDeclaration(known);
  if (known.closedAt) throw new Problem('conflict', `allotment "${known.code}" was closed at ${known.closedAt.toISOString()}; make a new one under another code`);
  if (known.kind !== input.kind) throw new Problem('conflict', `allotment "${known.code}" is a ${known.kind}: its kind cannot be changed`, '/kind');
  if (known.channelId !== checked.channelId) throw new Problem('conflict', `the channel of allotment "${known.code}" cannot be changed`, '/channel');
}

async function write(tx: Tx, code: string, input: AllotmentInput, c: Checked, id: number | null): Promise<number> {
  const values = [code, input.name, c.parentId, input.overflow, input.borrowLimit ?? null, c.startsAt, c.endsAt];
  try {
    const row = id === null
      ? await tx.one<{ id: number }>(`insert into allotments (code, name, parent_id, overflow, borrow_limit, starts_at, ends_at, kind, channel_id, created_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id`, [...values, input.kind, c.channelId, tx.now])
      : await tx.one<{ id: number }>(`update allotments set name = $2, parent_id = $3, overflow = $4, borrow_limit = $5, starts_at = $6, ends_at = $7 where code = $1 returning id`, values);
    if (!row) throw new Error('a written row is returned');
    return row.id;
  } catch (error) {
    if (errorCode(error) !== UNIQUE_VIOLATION) throw error;
    throw new Problem('conflict', `channel "${input.channel ?? ''}" has an open allotment already: close it first, or change it`, '/channel');
  }
}

/** The first run is one period from now; another period starts anew, the same one goes on. */
async function schedule(tx: Tx, id: number, everyS: number | null): Promise<void> {
  if (everyS === null) await tx.query('delete from allotment_schedules where allotment_id = $1', [id]);
  else {
    await tx.query(
      `insert into allotment_schedules (allotment_id, reallocate_every_s, next_reallocate_at) values ($1, $2, $3) on conflict (allotment_id) do update
         set reallocate_every_s = excluded.reallocate_every_s, next_reallocate_at = excluded.next_reallocate_at where allotment_schedules.reallocate_every_s <> excluded.reallocate_every_s`,
      [id, everyS, new Date(tx.now.getTime() + everyS * 1000)]);
  }
}
