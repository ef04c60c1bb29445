/** Arguments of the workflows: versioned, ids only, JSON-safe, additive. */
export type OrderInput = { v: 1; orderId: string };
export type ReturnInput = { v: 1; rma: string };
export type ReconciliationInput = { v: 1; location: string };
export type ChannelSyncInput = { v: 1; channel: string };
export type DeclarationInput = { v: 1; declaration: string };
export type CanaryInput = { v: 1; canary: string };
export type SimulationInput = { v: 1; simulation: string };
export type WaveInput = { v: 1; wave: string };
/** For what runs for ever, one for the whole business. */
export type CycleInput = { v: 1 };
export type ReplenishmentInput = { v: 1; scope: string };
export type TransferInput = { v: 1; transfer: string };
export type ClearanceInput = { v: 1; campaign: string };
/** What the Updates `pause`, `resume`, `extend`, `adjust` and `stop` of a campaign carry: the fields of the command of that name. `by`: who asks, no person's name. */
export type ClearanceCommand = {
  v: 1; by?: string; reason?: string; endsAt?: string; stage?: { no: number; endsAt: string }; target?: number; budget?: number; floorMargin?: number;
  stages?: { no: number; percentOff?: number; mostPercentOff?: number; everyS?: number; perPerson?: number; proposals?: 'rule' | 'operator'; budget?: number; target?: number }[];
};

/** The one signal: the facts in PostgreSQL have changed, look at them. */
export const LOOK = 'look';
