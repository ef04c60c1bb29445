import { Problem } from '../problem.ts';

export const STAGE_KINDS = ['staff', 'coupon', 'live_stream', 'bundle', 'gift', 'markdown'] as const;
export type StageKind = (typeof STAGE_KINDS)[number];
type Common = {
  /** left out: as soon as the stage before is over */
  startsAt?: string;
  endsAt: string;
  /** sell-through of the campaign at which the stage is over, per mille */
  target?: number;
  /** discounts and costs at which it is over, minor units */
  budget?: number;
  /** what it costs whatever it sells (a slot, an agency), minor units */
  cost?: number;
};
/** `percentOff`: whole percent of the list price. */
export type StagePlan = Common & (
  | { kind: 'staff'; percentOff: number; group: string; perPerson: number }
  /** a code of one use for each member of the segment, told by the message `template` by the first of `ways` that reaches them; `messageCost` each */
  | { kind: 'coupon'; percentOff: number; segment: string; ways: ('wecom' | 'sms' | 'email')[]; template: string; messageCost?: number; stackable?: boolean }
  /** `share`: per mille of what is free at the campaign's locations when it begins, set apart for the session */
  | { kind: 'live_stream'; percentOff: number; channel: string; partner: string; share: number }
  /** the campaign's SKUs are cheaper bought with one of the partner brand's */
  | { kind: 'bundle'; percentOff: number; partner: string; with: string[]; bearer: 'shop' | 'brand' }
  /** `minimum`: units of the campaign that an order has for one gift */
  | { kind: 'gift'; partner: string; gift: string; giftQuantity: number; minimum: number; bearer: 'shop' | 'brand' }
  /** `proposals`: what becomes of the engine's next price every `everyS`; never more than `mostPercentOff` */
  | { kind: 'markdown'; percentOff: number; mostPercentOff: number; everyS: number; proposals: 'rule' | 'operator' });
export type CampaignPlan = {
  reference: string;
  name: string;
  currency: string;
  skus: { sku: string; listPrice?: number }[];
  locations?: string[];
  channels?: string[];
  startsAt: string;
  endsAt: string;
  /** sold ÷ stock at the start, per mille */
  target: number;
  /** what must stay of a price after the cost, per mille of the price; negative: below cost on purpose */
  floorMargin: number;
  budget: number;
  /** prices end on a multiple of this, minor units */
  roundTo?: number;
  lookEveryS?: number;
  approval?: 'other' | 'anyone';
  alert?: string;
  stages: StagePlan[];
};

/** What is known of a SKU of the plan: money in minor units. */
export type PlanSku = { sku: string; listPrice: number | null; cost: number | null };

/** The lowest price p that leaves the margin: (p − cost) ÷ p ≥ floorMargin. */
export function floorPrice(cost: number, floorMargin: number): number { return Math.ceil((cost * 1000) / (1000 - floorMargin)); }

/** The price after whole percents, up to the next multiple of `roundTo`, never above the list price: rounding never goes below a floor that the price itself keeps. */
export function priceAfter(listPrice: number, percentOff: number, roundTo = 1): number {
  const exact = Math.ceil((listPrice * (100 - percentOff)) / 100);
  return Math.min(listPrice, Math.ceil(exact / roundTo) * roundTo);
}

/** Checks a plan whole. Throws Problem with the field at fault; codes of SKUs, channels, locations and segments are looked up by the caller. */
export function checkPlan(plan: CampaignPlan, skus: readonly PlanSku[], nowIso: string): void {
  const starts = moment(plan.startsAt, '/startsAt');
  const ends = moment(plan.endsAt, '/endsAt');
  if (ends <= starts) throw new Problem('unprocessable', 'the campaign ends before it begins', '/endsAt');
  if (ends <= Date.parse(nowIso)) throw new Problem('unprocessable', 'the campaign is over already', '/endsAt');
  if (plan.budget <= 0) throw new Problem('unprocessable', 'a budget of 0 would end the campaign as it begins: give it what it may cost', '/budget');
  const seen = new Set<string>();
  for (const [i, { sku }] of plan.skus.entries()) {
    if (seen.has(sku)) throw new Problem('unprocessable', `SKU "${sku}" is named twice`, `/skus/${i}/sku`);
    seen.add(sku);
  }
  for (const [i, known] of skus.entries()) checkSku(known, plan.floorMargin, i);
  checkWindows(plan, starts, ends);
  for (const [i, stage] of plan.stages.entries()) checkStage(stage, `/stages/${i}`, plan, skus);
}

function checkSku({ sku, listPrice, cost }: PlanSku, floorMargin: number, i: number): void {
  if (listPrice === null) throw new Problem('unprocessable', `SKU "${sku}" has no list price: say it here`, `/skus/${i}/listPrice`);
  if (cost === null) throw new Problem('unprocessable', `SKU "${sku}" has no cost, so its floor cannot be known: set the cost first`, `/skus/${i}/sku`);
  const floor = floorPrice(cost, floorMargin);
  if (floor > listPrice) throw new Problem('unprocessable', `the floor of SKU "${sku}" (${floor}) is above its price (${listPrice})`, '/floorMargin', { sku, floor, listPrice });
}

/** Stages follow one another without overlap, inside the campaign. */
export function checkWindows(plan: Pick<CampaignPlan, 'stages'>, starts: number, ends: number): void {
  let last = starts;
  for (const [i, stage] of plan.stages.entries()) {
    const begin = stage.startsAt === undefined ? last : moment(stage.startsAt, `/stages/${i}/startsAt`);
    const end = moment(stage.endsAt, `/stages/${i}/endsAt`);
    if (begin < last) throw new Problem('unprocessable', i === 0 ? 'the stage begins before the campaign' : 'the stage begins before the one before it ends', `/stages/${i}/startsAt`);
    if (end <= begin) throw new Problem('unprocessable', 'the stage ends before it begins', `/stages/${i}/endsAt`);
    if (end > ends) throw new Problem('unprocessable', 'the stage ends after the campaign', `/stages/${i}/endsAt`);
    last = end;
  }
}

function checkStage(stage: StagePlan, at: string, plan: CampaignPlan, skus: readonly PlanSku[]): void {
  if (stage.budget !== undefined && stage.budget <= 0) throw new Problem('unprocessable', 'a budget of 0 would end the stage as it begins', `${at}/budget`);
  if (stage.budget !== undefined && stage.budget > plan.budget) throw new Problem('unprocessable', `the stage may cost more (${stage.budget}) than the campaign (${plan.budget})`, `${at}/budget`);
  if ((stage.cost ?? 0) > (stage.budget ?? plan.budget)) throw new Problem('unprocessable', 'the stage costs more than its budget before it has sold anything', `${at}/cost`);
  if (stage.target !== undefined && stage.target > plan.target) throw new Problem('unprocessable', 'the campaign ends at its own target, which is lower', `${at}/target`);
  if (stage.kind === 'bundle') for (const [i, other] of stage.with.entries()) if (skus.some((s) => s.sku === other)) throw new Problem('unprocessable', `SKU "${other}" is itself in the campaign`, `${at}/with/${i}`);
  if (stage.kind === 'gift' && skus.some((s) => s.sku === stage.gift)) throw new Problem('unprocessable', `SKU "${stage.gift}" is itself in the campaign`, `${at}/gift`);
  if (stage.kind === 'markdown' && stage.mostPercentOff < stage.percentOff) throw new Problem('unprocessable', 'the first markdown is deeper than the deepest', `${at}/mostPercentOff`);
  if (stage.kind !== 'gift') for (const s of skus) checkFloor(s, stage.percentOff, plan, `${at}/percentOff`);
}

/** Throws where a discount goes below the floor. */
export function checkFloor({ sku, listPrice, cost }: PlanSku, percentOff: number, plan: Pick<CampaignPlan, 'floorMargin' | 'roundTo'>, field: string): void {
  if (listPrice === null || cost === null) return;
  const [price, floor] = [priceAfter(listPrice, percentOff, plan.roundTo), floorPrice(cost, plan.floorMargin)];
  if (price < floor) throw new Problem('unprocessable', `${percentOff} % off makes SKU "${sku}" cost ${price}, below its floor of ${floor}`, field, { sku, price, floor });
}

function moment(text: string, field: string): number {
  const at = new Date(text);
  const year = at.getUTCFullYear();
  if (year >= 1900 && year <= 9999) return at.getTime();
  throw new Problem('unprocessable', 'no such moment: ISO 8601 with hours and minutes of the offset, years 1900 to 9999', field);
}
