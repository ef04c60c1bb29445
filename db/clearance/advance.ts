import { nextCampaignStep, type CampaignStatus, type CampaignStep } from '../../domain/clearance/flow.ts';
import { showAtOnce } from '../declarations/declaration.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';
import { setBudgets } from './budgets.ts';
import { lockCampaign, readStages, wakeAt, type Campaign, type StageRow } from './campaign.ts';
import { issueNext } from './coupons.ts';
import { endCampaign } from './end.ts';
import { lookAt } from './facts.ts';
import { propose } from './propose.ts';
import { writeReport } from './report.ts';
import { collectSales } from './sales.ts';
import { closeStage, missStage, openStage } from './stages.ts';
import { startCampaign } from './start.ts';
import { syncWindows } from './windows.ts';

type Deps = { writer: StockWriter; network: Network; vault: Vault };
/** `summary`: where it stands, for who looks into the workflow. */
export type Advanced = { status: CampaignStatus; step: Extract<CampaignStep, { do: 'wait' | 'finish' }>; summary: string };

/** Takes every step of a campaign that is due by itself, each in its own transaction and safe to repeat, and says what it waits for now. */
export async function advanceCampaign({ writer, network, vault }: Deps, uuid: string): Promise<Advanced> {
  for (;;) {
    const { shown, ...advanced } = await writer.change(async (tx) => {
      const campaign = await lockCampaign(tx, uuid);
      if (campaign.reportedAt === null) await collectSales(tx, campaign);
      const stages = await readStages(tx, uuid);
      const facts = await lookAt(tx, campaign, stages);
      const step = nextCampaignStep(facts, tx.now.toISOString());
      const allotment = await take(tx, { network, vault }, campaign, stages, step, () => endCampaign(tx, network, campaign, facts, step.do === 'end' ? step.reason : 'time', 'system'));
      const open = facts.stage === null ? '' : `, stage ${facts.stage.no}`;
      return { status: campaign.status, step, summary: `${facts.sold} of ${facts.stock} sold (target ${facts.target / 10} %)${open}`, shown: allotment };
    });
    if (shown !== null) await showAtOnce(writer, network, shown);
    const { step } = advanced;
    if (step.do === 'wait' || step.do === 'finish') return { ...advanced, step };
  }
}

/** Returns the allotment of a session that was made, if one was. */
async function take(tx: Tx, { network, vault }: Omit<Deps, 'writer'>, campaign: Campaign, stages: readonly StageRow[], step: CampaignStep, end: () => Promise<void>): Promise<number | null> {
  const stage = (no: number): StageRow => {
    const found = stages.find((s) => s.no === no);
    if (!found) throw new Error(`campaign ${campaign.id} has no stage ${no}`);
    return found;
  };
  switch (step.do) {
    case 'open_stage': return openStage(tx, network, campaign, stage(step.no));
    case 'start': await startCampaign(tx, campaign); break;
    case 'end': await end(); break;
    case 'close_stage': await closeStage(tx, network, campaign, stage(step.no), step.reason); break;
    case 'miss_stage': await missStage(tx, network, campaign, stage(step.no)); break;
    case 'issue_coupons':
      await issueNext(tx, vault, campaign, stage(step.no));
      await setBudgets(tx, campaign, stages);
      break;
    case 'propose': await propose(tx, network, campaign, stage(step.no)); break;
    case 'report': await writeReport(tx, campaign, stages); break;
    case 'wait':
      await syncWindows(tx, network, campaign, stages, true);
      await wakeAt(tx, campaign.id, new Date(step.until));
      break;
    case 'finish':
  }
  return null;
}
