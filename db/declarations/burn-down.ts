import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { oversold, type BurnDownLine, type DeclarationKind, type DeclarationStatus } from '../../domain/stock/declaration.ts';

/** A session's figures at one moment (`at`, ISO 8601), per SKU in base units. */
export type BurnDown = { code: string; status: DeclarationStatus; at: string; lines: BurnDownLine[] };

/** `report`: the settlement, once it has been written. `contract`: as it was given. */
export type DeclarationView = BurnDown & {
  kind: DeclarationKind; partner: string; channel: string; startsAt: string; endsAt: string; settleBy: string; endedAt: string | null; endReason: string | null; settledAt: string | null;
  contract: unknown; report: unknown;
};

type Line = Omit<BurnDownLine, 'oversold'>;

/**
 * Sold = reserved on the session's levels + issued from them. One statement, so one snapshot. The orders of the session are found by their allotment:
 * what it costs grows with them, so callers that ask again and again ask `fingerprint` first.
 */
const FIGURES = `with
  lines as (select sku_id, sum(declared)::int declared, sum(topped_up)::int topped_up, sum(given_back)::int given_back from declaration_lines where declaration_id = $1 group by 1),
  gone as (select v.sku_id, sum(r.units)::int units from declaration_releases r join stock_levels v on v.id = r.level_id where r.declaration_id = $1 group by 1),
  own as (select sku_id, coalesce(sum(on_hand - reserved) filter (where supply_id = 0), 0)::int firm, coalesce(sum(on_hand - reserved) filter (where supply_id <> 0), 0)::int soft,
    sum(reserved)::int reserved from stock_levels where allotment_id = $2 group by 1),
  ordered as (select l.sku_id, sum(l.cancelled_quantity)::int cancelled, sum(l.returned_quantity)::int returned from orders o join order_lines l on l.order_id = o.id where o.allotment_id = $2 group by 1),
  sold as (select v.sku_id, coalesce(sum(r.quantity) filter (where v.allotment_id = $2 and r.status = 'issued'), 0)::int issued,
      coalesce(sum(r.quantity) filter (where v.allotment_id <> $2), 0)::int beyond
    from orders o join reservations r on r.order_id = o.id and r.status in ('held', 'confirmed', 'issued') join stock_levels v on v.id = r.level_id where o.allotment_id = $2 group by 1),
  missing as (select s.sku_id, sum(s.quantity)::int short from orders o join shortages s on s.order_id = o.id and s.status = 'open' where o.allotment_id = $2 group by 1)
  select k.code sku, declared, topped_up "toppedUp", given_back "givenBack", coalesce(reserved, 0) + coalesce(issued, 0) sold, coalesce(reserved, 0) reserved, coalesce(issued, 0) issued,
    coalesce(beyond, 0) beyond, coalesce(cancelled, 0) cancelled, coalesce(returned, 0) returned, coalesce(short, 0) short,
    coalesce(firm, 0) + coalesce(soft, 0) free, coalesce(firm, 0) firm, coalesce(soft, 0) soft, coalesce(gone.units, 0) released
  from lines join skus k on k.id = lines.sku_id left join gone using (sku_id) left join own using (sku_id) left join ordered using (sku_id) left join sold using (sku_id) left join missing using (sku_id)
  order by k.code`;

/** The figures of every SKU of a session. */
export async function figures(db: pg.Pool | pg.ClientBase, id: string, allotmentId: number): Promise<BurnDownLine[]> {
  const { rows } = await db.query<Line>({ name: 'declaration_figures', text: FIGURES, values: [id, allotmentId] });
  return rows.map((line) => ({ ...line, oversold: oversold(line) }));
}

/** Which session a code names. Throws not_found. */
export async function findDeclaration(pool: pg.Pool, code: string): Promise<{ id: string; allotmentId: number }> {
  const { rows: [row] } = await pool.query<{ id: string; allotmentId: number }>('select id, allotment_id "allotmentId" from declarations where code = $1', [code]);
  if (!row) throw new Problem('not_found', `declaration "${code}" does not exist`);
  return row;
}

/** Another text after every change of the session, of its levels and with every new order; cheap however many orders there are. */
export async function fingerprint(pool: pg.Pool, id: string, allotmentId: number): Promise<string> {
  const { rows } = await pool.query<{ print: string }>({
    name: 'declaration_fingerprint',
    text: `select concat_ws(' ', (select xmin from declarations where id = $1), (select string_agg(concat(id, ':', xmin), ',' order by id) from stock_levels where allotment_id = $2),
      (select id from orders where allotment_id = $2 order by id desc limit 1)) print`,
    values: [id, allotmentId],
  });
  return rows[0]?.print ?? '';
}

/** The live burn-down. `now`: the moment it is given for. */
export async function readBurnDown(pool: pg.Pool, session: { id: string; allotmentId: number }, now: Date): Promise<BurnDown> {
  const { rows: [head] } = await pool.query<{ code: string; status: DeclarationStatus }>('select code, status from declarations where id = $1', [session.id]);
  if (!head) throw new Problem('not_found', 'the declaration does not exist');
  return { ...head, at: now.toISOString(), lines: await figures(pool, session.id, session.allotmentId) };
}

export async function readDeclaration(pool: pg.Pool, code: string, now: Date): Promise<DeclarationView> {
  const session = await findDeclaration(pool, code);
  const { rows: [head] } = await pool.query<Record<'startsAt' | 'endsAt' | 'settleBy', Date> & Record<'endedAt' | 'settledAt', Date | null>
    & Pick<DeclarationView, 'kind' | 'partner' | 'channel' | 'endReason' | 'contract' | 'report'>>(
    `select d.kind, d.partner, c.code channel, d.starts_at "startsAt", d.ends_at "endsAt", d.settle_by "settleBy", d.ended_at "endedAt", d.end_reason "endReason", d.settled_at "settledAt", d.contract, d.report
     from declarations d join channels c on c.id = d.channel_id where d.id = $1`, [session.id]);
  if (!head) throw new Problem('not_found', `declaration "${code}" does not exist`);
  const { code: name, status, at, lines } = await readBurnDown(pool, session, now);
  return {
    code: name, status, at, kind: head.kind, partner: head.partner, channel: head.channel, startsAt: head.startsAt.toISOString(), endsAt: head.endsAt.toISOString(), settleBy: head.settleBy.toISOString(),
    endedAt: head.endedAt?.toISOString() ?? null, endReason: head.endReason, settledAt: head.settledAt?.toISOString() ?? null, lines, contract: head.contract, report: head.report,
  };
}

export type DeclarationHead = { code: string; kind: DeclarationKind; partner: string; channel: string; status: DeclarationStatus; startsAt: string; endsAt: string };

/** Sessions, the newest first; `before` is the id of the last one seen. */
export async function listDeclarations(pool: pg.Pool, filter: { status: DeclarationStatus | null; channel: string | null; before: string | null; limit: number }): Promise<(DeclarationHead & { id: string })[]> {
  const { rows } = await pool.query<Omit<DeclarationHead, 'startsAt' | 'endsAt'> & { id: string; startsAt: Date; endsAt: Date }>(
    `select d.id, d.code, d.kind, d.partner, c.code channel, d.status, d.starts_at "startsAt", d.ends_at "endsAt" from declarations d join channels c on c.id = d.channel_id
     where ($1::text is null or d.status = $1) and ($2::text is null or c.code = $2) and ($3::uuid is null or d.id < $3) order by d.id desc limit $4`,
    [filter.status, filter.channel, filter.before, filter.limit]);
  return rows.map((r) => ({ ...r, startsAt: r.startsAt.toISOString(), endsAt: r.endsAt.toISOString() }));
}
