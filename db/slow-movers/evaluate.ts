import { assessRate, assessSku, severityOf, subjectKey, type Finding, type RateFacts } from '../../domain/slow-movers/assess.ts';
import { levelUnits, LEVEL_WEEKS } from '../../domain/slow-movers/features.ts';
import { rulesFor } from '../../domain/slow-movers/rules.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { inThread } from '../planning-thread/run.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { alertEvent } from './alert.ts';
import { readRules, readSlowMoverState, type SlowMoverPolicy } from './policy.ts';
import { isoDay, rateFacts, readCategories, readSkuFacts, WINDOW_DAYS, wholeRate, type Outlooks, type OutlookTerms } from './sku-facts.ts';
import { readWeeklyPanel } from './weekly-panel.ts';

/** `learnedFrom`: past weeks of SKUs that the outlook was learned from; 0: too few. */
export type Evaluation = { day: string; skus: number; findings: number; opened: number; closed: number; learnedFrom: number };

/**
 * Looks at every SKU as of yesterday evening and brings the alerts up to date: one open alert for each subject with a cause, none without. Reads first, without locks; writes in one transaction at the
 * end. Run twice, or twice at once: the same alerts, opened once.
 */
export async function evaluateSlowMovers(writer: StockWriter): Promise<Evaluation> {
  const { pool } = writer;
  const now = writer.clock();
  const day = isoDay(new Date(now.getTime() - 86_400_000));
  const [policy, rules] = [await readSlowMoverState(pool), await readRules(pool)];
  const { outlooks, terms, learnedFrom } = await foretell(writer, day);
  const findings: Finding[] = [];
  const rates: RateFacts[] = [];
  let skus = 0;
  for (const [category, rows] of await readCategories(pool, isoDay(new Date(Date.parse(day) - 2 * WINDOW_DAYS * 86_400_000)))) {
    const inForce = rulesFor(rules, category);
    const facts = await readSkuFacts(pool, rows, day, now, policy.seasonDays, outlooks, terms);
    skus += facts.length;
    findings.push(...facts.flatMap((f) => assessSku(f, inForce)));
    const rate = rateFacts(category, facts);
    rates.push(rate);
    const fell = assessRate(rate, inForce.selling_rate);
    if (fell) findings.push(fell);
  }
  const whole = assessRate(wholeRate(rates), rulesFor(rules, null).selling_rate);
  if (whole) findings.push(whole);
  return writer.change(async (tx) => {
    const evaluation = { day, skus, findings: findings.length, learnedFrom, ...await bringUpToDate(tx, findings, policy) };
    await tx.query('update slow_mover_policy set evaluated_at = $1, outcome = $2', [tx.now, JSON.stringify(evaluation)]);
    return evaluation;
  });
}

async function foretell(writer: StockWriter, day: string): Promise<{ outlooks: Outlooks; terms: OutlookTerms; learnedFrom: number }> {
  const panel = await readWeeklyPanel(writer.pool, day);
  const learned = panel.weeks > LEVEL_WEEKS ? await inThread('outlook', { series: panel.series, now: panel.weeks }) : null;
  if (!learned) return { outlooks: new Map(), terms: null, learnedFrom: 0 };
  const outlooks = new Map(panel.skuIds.flatMap((id, i) => {
    const [chance, series] = [learned.chances[i], panel.series[i]];
    return chance === null || chance === undefined || !series ? [] : [[id, { chance, perDay: levelUnits(series, panel.weeks) / LEVEL_WEEKS / 7 }] as const];
  }));
  return { outlooks, terms: learned, learnedFrom: learned.rows };
}

type Open = { id: string; subject: string; status: string; snoozedUntil: Date | null };

async function bringUpToDate(tx: Tx, findings: readonly Finding[], policy: SlowMoverPolicy): Promise<{ opened: number; closed: number }> {
  await tx.query('select from slow_mover_policy for no key update'); // one at a time
  const open = new Map((await tx.query<Open>('select id, subject, status, snoozed_until "snoozedUntil" from slow_mover_alerts where closed_at is null order by id for no key update')).map((r) => [r.subject, r]));
  let opened = 0;
  for (const f of findings) {
    const subject = subjectKey(f.subject);
    const severity = severityOf(f.moneyAtRisk, { medium: policy.mediumFrom, high: policy.highFrom });
    const known = open.get(subject);
    if (known) {
      open.delete(subject);
      const woken = known.snoozedUntil !== null && known.snoozedUntil <= tx.now;
      await tx.query(
        `update slow_mover_alerts set severity = $2, money_at_risk = $3, triggers = $4, figures = $5, seen_at = $6, status = case when $7 then 'open' else status end, snoozed_until = case when $7 then null else snoozed_until end where id = $1`,
        [known.id, severity, f.moneyAtRisk, JSON.stringify(f.triggers), JSON.stringify(f.figures), tx.now, woken]);
      if (woken) await alertEvent(tx, known.id, 'alert.opened', 'system', { snoozedUntil: known.snoozedUntil?.toISOString() ?? null });
      continue;
    }
    const id = uuidv7();
    await tx.query(
      `insert into slow_mover_alerts (id, subject, kind, sku_id, category, country, region, status, severity, money_at_risk, triggers, figures, opened_at, seen_at)
       values ($1, $2, $3, (select id from skus where code = $4), $5, $12, $6, 'open', $7, $8, $9, $10, $11, $11)`,
      [id, subject, f.subject.kind, f.subject.sku, f.subject.category, f.subject.region, severity, f.moneyAtRisk, JSON.stringify(f.triggers), JSON.stringify(f.figures), tx.now, f.subject.country]);
    await alertEvent(tx, id, 'alert.opened', 'system', { rules: f.triggers.map((t) => t.rule), moneyAtRisk: f.moneyAtRisk });
    opened++;
  }
  const over = [...open.values()].map((a) => a.id);
  await tx.query(`update slow_mover_alerts set status = 'closed', closed_at = $2, snoozed_until = null where id = any($1::uuid[])`, [over, tx.now]);
  for (const id of over) await alertEvent(tx, id, 'alert.closed', 'system', { reason: 'its cause is gone' });
  return { opened, closed: over.length };
}
