/**
 * draft → approved → running ⇄ paused → ended, or escalated where it missed its target by time or budget. A draft that nobody approved before its end lapses (`ended`).
 * What was ended stays ended; `escalated` waits for an operator's answer and becomes `ended`.
 */
export const CAMPAIGN_STATUSES = ['draft', 'approved', 'running', 'paused', 'ended', 'escalated'] as const;
export type CampaignStatus = (typeof CAMPAIGN_STATUSES)[number];
/** `stages`: its stages were over before its time. */
export const END_REASONS = ['target', 'time', 'budget', 'stages', 'stopped', 'lapsed'] as const;
export type EndReason = (typeof END_REASONS)[number];
/** `missed`: its time was over before it could be opened. */
export type StageEnd = 'time' | 'target' | 'budget' | 'campaign' | 'missed';

export const COMMANDS = ['pause', 'resume', 'extend', 'adjust', 'stop'] as const;
export type CommandName = (typeof COMMANDS)[number];

/** What PostgreSQL says of a campaign. Dates ISO 8601; shares per mille; money in minor units. */
export type CampaignFacts = {
  status: CampaignStatus; startsAt: string; endsAt: string; lookEveryS: number;
  /** units at its start (0 before it), and sold since then */
  stock: number; sold: number; target: number;
  spent: number; budget: number;
  /** the stage that is open. `least`: the smallest discount that it gives (0: a gift); with less left it gives nothing; `unsent`: members of its segment that still have no coupon; `nextStepAt`: when the next markdown is to be thought about */
  stage: { no: number; endsAt: string; target: number | null; budget: number | null; spent: number; least: number; unsent: boolean; nextStepAt: string | null } | null;
  /** the stage that comes next; `startsAt` null: as soon as the one before is over */
  next: { no: number; startsAt: string | null; endsAt: string } | null;
  /** why the last stage that is over ended */
  lastEnd: StageEnd | null;
  reported: boolean;
};
export type CampaignStep =
  | { do: 'start' } | { do: 'end'; reason: EndReason } | { do: 'open_stage'; no: number } | { do: 'miss_stage'; no: number } | { do: 'close_stage'; no: number; reason: StageEnd }
  | { do: 'issue_coupons'; no: number } | { do: 'propose'; no: number } | { do: 'report' } | { do: 'wait'; until: string } | { do: 'finish' };

/** The next step of a campaign by itself; the others are commands of people. */
export function nextCampaignStep(facts: CampaignFacts, nowIso: string): CampaignStep {
  const now = Date.parse(nowIso);
  const due = (at: string): boolean => Date.parse(at) <= now;
  switch (facts.status) {
    case 'draft': return due(facts.endsAt) ? { do: 'end', reason: 'lapsed' } : { do: 'wait', until: facts.endsAt };
    case 'approved': return due(facts.startsAt) ? { do: 'start' } : { do: 'wait', until: facts.startsAt };
    case 'paused': return due(facts.endsAt) ? { do: 'end', reason: reached(facts) ? 'target' : 'time' } : { do: 'wait', until: facts.endsAt };
    case 'running': return runningStep(facts, now, due);
    case 'ended':
    case 'escalated': return facts.reported ? { do: 'finish' } : { do: 'report' };
  }
}

function runningStep(facts: CampaignFacts, now: number, due: (at: string) => boolean): CampaignStep {
  if (reached(facts)) return { do: 'end', reason: 'target' };
  if (due(facts.endsAt)) return { do: 'end', reason: 'time' };
  if (facts.spent >= facts.budget) return { do: 'end', reason: 'budget' };
  const look = now + facts.lookEveryS * 1000;
  const wait = (...others: (string | null)[]): CampaignStep => ({ do: 'wait', until: new Date(Math.min(look, ...others.flatMap((at) => (at === null ? [] : [Date.parse(at)])))).toISOString() });
  const { stage, next } = facts;
  if (stage === null) {
    if (next === null) return { do: 'end', reason: facts.lastEnd === 'budget' ? 'budget' : 'stages' };
    if (due(next.endsAt)) return { do: 'miss_stage', no: next.no };
    return next.startsAt === null || due(next.startsAt) ? { do: 'open_stage', no: next.no } : wait(facts.endsAt, next.startsAt);
  }
  if (due(stage.endsAt)) return { do: 'close_stage', no: stage.no, reason: 'time' };
  if (stage.target !== null && share(facts.sold, facts.stock) >= stage.target) return { do: 'close_stage', no: stage.no, reason: 'target' };
  // With less left than a unit's discount nobody gets anything any more.
  if (Math.min(facts.budget - facts.spent, (stage.budget ?? Infinity) - stage.spent) < Math.max(1, stage.least)) return { do: 'close_stage', no: stage.no, reason: 'budget' };
  if (stage.unsent) return { do: 'issue_coupons', no: stage.no };
  if (stage.nextStepAt !== null && due(stage.nextStepAt)) return { do: 'propose', no: stage.no };
  return wait(facts.endsAt, stage.endsAt, stage.nextStepAt);
}

/** Sold ÷ stock in per mille, rounded down: 79.99 % is not 80 %. Nothing in stock: all of it is sold. */
export function share(sold: number, stock: number): number { return stock <= 0 ? 1000 : Math.floor((sold * 1000) / stock); }

export function reached(facts: Pick<CampaignFacts, 'sold' | 'stock' | 'target'>): boolean { return share(facts.sold, facts.stock) >= facts.target; }

/** Missed targets are an operator's task; a campaign that somebody stopped, or that never ran, is nobody's. */
export function endStatus(reason: EndReason, facts: Pick<CampaignFacts, 'sold' | 'stock' | 'target'>): 'ended' | 'escalated' {
  return reason === 'target' || reason === 'stopped' || reason === 'lapsed' || reached(facts) ? 'ended' : 'escalated';
}

const ALLOWED: Record<CommandName, readonly CampaignStatus[]> = {
  pause: ['running', 'paused'], resume: ['running', 'paused'], extend: ['draft', 'approved', 'running', 'paused'], adjust: ['draft', 'approved', 'running', 'paused'],
  stop: ['draft', 'approved', 'running', 'paused', 'ended', 'escalated'],
};

/** Why a command is not taken in this status, or null. The second time the same (pause of a paused one …) is no error: it changes nothing. */
export function refusal(command: CommandName, status: CampaignStatus): string | null {
  if (ALLOWED[command].includes(status)) return null;
  const not = { draft: 'is not approved yet', approved: 'has not begun', running: 'runs', paused: 'is paused', ended: 'is over', escalated: 'is over' }[status];
  return `the campaign ${not}: it cannot be ${{ pause: 'paused', resume: 'resumed', extend: 'extended', adjust: 'adjusted', stop: 'stopped' }[command]}`;
}
