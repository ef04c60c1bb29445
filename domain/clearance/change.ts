import { Problem } from '../problem.ts';
import { checkFloor, checkPlan, floorPrice, type CampaignPlan, type PlanSku, type StagePlan } from './plan.ts';

/** Later ends: of the campaign, of one of its stages, or both. */
export type Extension = { endsAt?: string; stage?: { no: number; endsAt: string } };
type StageChange = { no: number; percentOff?: number; mostPercentOff?: number; everyS?: number; perPerson?: number; proposals?: 'rule' | 'operator'; budget?: number; target?: number };
/** Other figures of the plan. Of a stage that is open only its budget, target, deepest markdown, rhythm and rule of proposals change. */
export type Adjustment = { target?: number; budget?: number; floorMargin?: number; stages?: StageChange[] };
export type StageState = { no: number; status: 'planned' | 'open' | 'over' };

const WHILE_OPEN = new Set(['no', 'budget', 'target', 'mostPercentOff', 'everyS', 'proposals']);

/** The plan with later ends; the last stage goes on with the campaign where it ended with it. Throws Problem. */
export function extended(plan: CampaignPlan, change: Extension, states: readonly StageState[], nowIso: string): CampaignPlan {
  const now = Date.parse(nowIso);
  if (change.endsAt === undefined && change.stage === undefined) throw new Problem('unprocessable', 'say endsAt, stage or both');
  const stages = plan.stages.map((s) => ({ ...s }));
  const endsAt = change.endsAt ?? plan.endsAt;
  if (Date.parse(endsAt) < Date.parse(plan.endsAt)) throw new Problem('unprocessable', `the campaign ends at ${plan.endsAt}: an extension is later`, '/endsAt');
  const last = stages.at(-1);
  if (last && states.at(-1)?.status !== 'over' && Date.parse(last.endsAt) === Date.parse(plan.endsAt)) last.endsAt = endsAt;
  if (change.stage !== undefined) {
    const stage = stages[change.stage.no - 1];
    if (!stage) throw new Problem('unprocessable', `there is no stage ${change.stage.no}`, '/stage/no');
    if (states.find((s) => s.no === change.stage?.no)?.status === 'over') throw new Problem('conflict', `stage ${change.stage.no} is over`, '/stage/no');
    if (Date.parse(change.stage.endsAt) < Date.parse(stage.endsAt)) throw new Problem('unprocessable', `the stage ends at ${stage.endsAt}: an extension is later`, '/stage/endsAt');
    stage.endsAt = change.stage.endsAt;
  }
  const next = { ...plan, endsAt, stages };
  if (Date.parse(endsAt) <= now) throw new Problem('unprocessable', 'the campaign is over already', '/endsAt');
  return next;
}

/** The plan with other figures. Throws Problem where the whole would make no sense. `prices`: what SKUs cost now in an open stage. */
export function adjusted(plan: CampaignPlan, change: Adjustment, states: readonly StageState[], spent: number, prices: ReadonlyMap<string, number>, skus: readonly PlanSku[], nowIso: string): CampaignPlan {
  const { target = plan.target, budget = plan.budget, floorMargin = plan.floorMargin } = change;
  const stages = plan.stages.map((s) => ({ ...s }) as StagePlan);
  for (const [i, { no, ...to }] of (change.stages ?? []).entries()) {
    const stage = stages[no - 1];
    const state = states.find((s) => s.no === no);
    if (!stage || !state) throw new Problem('unprocessable', `there is no stage ${no}`, `/stages/${i}/no`);
    if (state.status === 'over') throw new Problem('conflict', `stage ${no} is over`, `/stages/${i}/no`);
    for (const [name, value] of Object.entries(to)) {
      if (value === undefined) continue;
      if (!(name in stage) && name !== 'budget' && name !== 'target') throw new Problem('unprocessable', `a stage of kind ${stage.kind} has no ${name}`, `/stages/${i}/${name}`);
      if (state.status === 'open' && !WHILE_OPEN.has(name)) throw new Problem('conflict', `stage ${no} is open: its ${name} stays; end it, or set prices by a proposal`, `/stages/${i}/${name}`);
      Object.assign(stage, { [name]: value });
    }
  }
  if (budget < spent) throw new Problem('unprocessable', `${spent} have been spent already: a smaller budget would end the campaign; stop it instead`, '/budget');
  const next = { ...plan, target, budget, floorMargin, stages };
  // What is over stays as it was, also where it would not be allowed today.
  const open = stages.filter((_, i) => states[i]?.status !== 'over');
  checkPlan({ ...next, stages: [] }, skus, nowIso);
  for (const stage of open) {
    const at = `/stages/${(change.stages ?? []).findIndex((c) => stages[c.no - 1] === stage)}`;
    if (stage.budget !== undefined && stage.budget > budget) throw new Problem('unprocessable', `the stage may cost more (${stage.budget}) than the campaign (${budget})`, `${at}/budget`);
    if (stage.budget !== undefined && stage.budget <= (stage.cost ?? 0)) throw new Problem('unprocessable', 'the stage costs more than its budget before it has sold anything', `${at}/budget`);
    if (stage.target !== undefined && stage.target > target) throw new Problem('unprocessable', 'the campaign ends at its own target, which is lower', `${at}/target`);
    if (stage.kind === 'markdown' && stage.mostPercentOff < stage.percentOff) throw new Problem('unprocessable', 'the first markdown is deeper than the deepest', `${at}/mostPercentOff`);
    if (stage.kind !== 'gift') for (const s of skus) checkFloor(s, stage.percentOff, next, at === '/stages/-1' ? '/floorMargin' : `${at}/percentOff`);
  }
  for (const s of skus) {
    const price = prices.get(s.sku);
    if (price !== undefined && s.cost !== null && price < floorPrice(s.cost, floorMargin)) {
      throw new Problem('unprocessable', `SKU "${s.sku}" costs ${price} now, below the new floor`, '/floorMargin', { sku: s.sku, price });
    }
  }
  return next;
}
