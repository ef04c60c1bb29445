import type { EndReason, StageEnd } from './flow.ts';
import type { StageKind } from './plan.ts';
import type { CampaignReport } from './report.ts';

const REASON: Record<EndReason, string> = {
  target: 'it reached its target', time: 'its time was over', budget: 'its budget was spent', stages: 'its stages were over', stopped: 'it was stopped', lapsed: 'nobody approved it in time',
};
const KIND: Record<StageKind, string> = { staff: 'Staff sale', coupon: 'Coupons', live_stream: 'Live stream', bundle: 'Bundle', gift: 'Gift', markdown: 'Markdown' };
const END: Record<StageEnd, string> = { time: 'on time', target: 'on target', budget: 'on budget', campaign: 'with the campaign', missed: 'never opened' };
const percent = (perMille: number): string => `${perMille / 10} %`;

/** The report in sentences, for people. `money`: how an amount in minor units is written. */
export function inWords(r: CampaignReport, money: (minor: number) => string): string[] {
  const lines = [
    `${percent(r.sellThrough)} sold (${r.sold} of ${r.stock} units) against a target of ${percent(r.target)}; it ended because ${REASON[r.reason]}.`,
    `Revenue ${money(r.revenue)}, discounts ${money(r.discount)}, other costs ${money(r.cost)}: ${money(r.spent)} of a budget of ${money(r.budget)} spent. Margin after costs ${money(r.margin)}.`,
  ];
  if (r.status === 'escalated') lines.push(`Target missed by ${r.missing} units: an operator decides what becomes of the rest.`);
  for (const s of r.stages) {
    if (s.openedAt === null) {
      lines.push(`${KIND[s.kind]} (stage ${s.no}): never opened.`);
      continue;
    }
    const gain = s.gain >= 0 ? `gained ${money(s.gain)}` : `lost ${money(-s.gain)}`;
    lines.push(`${KIND[s.kind]} (stage ${s.no}, ended ${s.end === null ? 'with the campaign' : END[s.end]}): ${s.units} units, ${s.extraUnits} more than without it; `
      + `${gain} against list-price sales${s.roi === null ? '' : `, ROI ${s.roi}`}.`);
  }
  const { units, margin, lines: neighbours } = r.cannibalised;
  if (neighbours.length === 0) lines.push('No sales of neighbours were lost.');
  else {
    const certain = neighbours.filter((n) => n.certain);
    lines.push(`Neighbours sold ${units} units less than expected (margin ${money(margin)})${certain.length === 0 ? ', none of them beyond chance' : `; beyond chance: ${certain.slice(0, 5).map((n) => `${n.name} (−${n.lost})`).join(', ')}`}. `
      + `Margin net of that: ${money(r.netMargin)}.`);
  }
  return lines;
}
