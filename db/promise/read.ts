import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { Rung } from '../../domain/promising/ladder.ts';
import { noSuchOrder, ownOrder } from '../read/own-orders.ts';
import type { Offer } from './options.ts';

export type PromiseView = {
  promisedBy: string | null; expectedBy: string | null; rung: Rung; until: string | null; atRiskSince: string | null; brokenAt: string | null; nextLook: string | null;
  history: { at: string; promisedBy: string; reason: string; actor: string }[];
  questions: { askedAt: string; answerBy: string; options: Offer[]; answer: string | null; answeredAt: string | null; answeredBy: string | null; moot: boolean }[];
  compensation: { kind: string; amount: number; currency: string; lateMinutes: number; status: string; settlementReference: string | null } | null;
};

/** The promise of an order as it stands and as it came to be. An order that nobody had to look at has what it was captured with. */
export async function readPromise(pool: pg.Pool, orderId: string): Promise<PromiseView> {
  const one = async <T extends pg.QueryResultRow>(text: string): Promise<T[]> => (await pool.query<T>(text, [orderId])).rows;
  const [[row], history, questions, [compensation]] = await Promise.all([
    one<{ deliver_by: Date | null; captured_at: Date; expected_by: Date | null; known: boolean; rung: Rung | null; rung_until: Date | null; at_risk_since: Date | null; broken_at: Date | null; promise_check_at: Date | null }>(
      'select o.deliver_by, o.captured_at, p.expected_by, p.order_id is not null known, p.rung, p.rung_until, p.at_risk_since, p.broken_at, o.promise_check_at from orders o left join order_promises p on p.order_id = o.id where o.id = $1'),
    one<{ at: Date; promised_by: Date; reason: string; actor: string }>('select at, promised_by, reason, actor from promise_changes where order_id = $1 order by id'),
    one<{ asked_at: Date; answer_by: Date; options: Offer[]; answer: string | null; answered_at: Date | null; answered_by: string | null; moot_at: Date | null }>('select * from promise_questions where order_id = $1 order by id'),
    one<{ kind: string; amount: number; currency: string; late_minutes: number; status: string; settlement_reference: string | null }>('select * from compensations where order_id = $1'),
  ]);
  if (!row) throw noSuchOrder(encodeId('ord', orderId));
  const iso = (d: Date | null | undefined): string | null => d?.toISOString() ?? null;
  return {
    promisedBy: iso(row.deliver_by), expectedBy: row.known ? iso(row.expected_by) : iso(row.deliver_by), rung: row.rung ?? 'none', until: iso(row.rung_until), atRiskSince: iso(row.at_risk_since), brokenAt: iso(row.broken_at), nextLook: iso(row.promise_check_at),
    history: history.length > 0 || !row.deliver_by ? history.map((h) => ({ at: h.at.toISOString(), promisedBy: h.promised_by.toISOString(), reason: h.reason, actor: h.actor }))
      : [{ at: row.captured_at.toISOString(), promisedBy: row.deliver_by.toISOString(), reason: 'at capture', actor: 'system' }],
    questions: questions.map((q) => ({ askedAt: q.asked_at.toISOString(), answerBy: q.answer_by.toISOString(), options: q.options, answer: q.answer, answeredAt: iso(q.answered_at), answeredBy: q.answered_by, moot: q.moot_at !== null })),
    compensation: compensation ? { kind: compensation.kind, amount: compensation.amount, currency: compensation.currency, lateMinutes: compensation.late_minutes, status: compensation.status, settlementReference: compensation.settlement_reference } : null,
  };
}

export type AtRisk = { order: string; channel: string; externalId: string; status: string; promisedBy: string; expectedBy: string | null; rung: Rung; until: string | null; since: string | null; locations: string[]; uuid: string };
export type AtRiskFilter = { channel: string | null; rung: Rung | null; after: { promisedBy: Date; uuid: string } | null; limit: number; onlyLocation: number | null };

/** Open promises that are at risk or broken, the earliest promised first. */
export async function listAtRisk(pool: pg.Pool, filter: AtRiskFilter): Promise<AtRisk[]> {
  const { rows } = await pool.query<{ id: string; channel: string; external_id: string; status: string; promised_by: Date; expected_by: Date | null; rung: Rung; rung_until: Date | null; at_risk_since: Date | null; locations: string[] }>(
    `select o.id, c.code channel, o.external_id, o.status, p.promised_by, p.expected_by, p.rung, p.rung_until, p.at_risk_since,
       array(select distinct l.code from fulfillment_orders f join locations l on l.id = f.location_id where f.order_id = o.id and f.status not in ('rejected', 'cancelled') order by 1) locations
     from order_promises p join orders o on o.id = p.order_id join channels c on c.id = o.channel_id
     where p.rung <> 'none' and p.closed_at is null and o.status not in ('closed', 'cancelled', 'rejected', 'expired', 'delivered') and ($1::text is null or c.code = $1) and ($2::text is null or p.rung = $2)
       and ($3::timestamptz is null or (p.promised_by, o.id) > ($3, $4::uuid)) and ($5::int is null or ${ownOrder('o', '$5')}) order by p.promised_by, o.id limit $6`,
    [filter.channel, filter.rung, filter.after?.promisedBy ?? null, filter.after?.uuid ?? null, filter.onlyLocation, filter.limit]);
  return rows.map((r) => ({
    order: encodeId('ord', r.id), channel: r.channel, externalId: r.external_id, status: r.status, promisedBy: r.promised_by.toISOString(), expectedBy: r.expected_by?.toISOString() ?? null, rung: r.rung,
    until: r.rung_until?.toISOString() ?? null, since: r.at_risk_since?.toISOString() ?? null, locations: r.locations, uuid: r.id,
  }));
}
