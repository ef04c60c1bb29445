import { advanceCampaign } from '../db/clearance/advance.ts';
import { commandCampaign, type CampaignCommand } from '../db/clearance/commands.ts';
import type { CampaignStatus } from '../domain/clearance/flow.ts';
import { Problem } from '../domain/problem.ts';
import { uuidOf, type ActivityDeps } from './deps.ts';

/** `wakeAt`: when there is something to do again, ISO 8601; null when the campaign is over and reported. */
export type CampaignProgress = { status: CampaignStatus; wakeAt: string | null; summary: string };

/** The activities of `clearance/<id>`. */
export function createClearance(deps: ActivityDeps) {
  return {
    /** Takes the steps that are due (start, open, close, coupons, markdowns, end, report) and says when to look again. */
    async advanceCampaign({ campaign }: { campaign: string }): Promise<CampaignProgress> {
      const { status, step, summary } = await advanceCampaign(deps, uuidOf('cmp', campaign));
      return { status, wakeAt: step.do === 'wait' ? step.until : null, summary };
    },

    /** A command that came as an Update. What is wrong with it is an answer, not a failure to try again. */
    async commandCampaign({ campaign, command: { v: _, by, ...command } }: { campaign: string; command: { v: 1; by?: string } & Record<string, unknown> }): Promise<{ status: CampaignStatus; problem: null } | { status: null; problem: { code: string; detail: string } }> {
      try {
        return { status: await commandCampaign(deps.writer, deps.network, uuidOf('cmp', campaign), command as CampaignCommand, `update:${by ?? 'operator'}`), problem: null };
      } catch (error) {
        if (error instanceof Problem) return { status: null, problem: { code: error.code, detail: error.message } };
        throw error;
      }
    },
  };
}
