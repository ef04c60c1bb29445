import type { PromotionInput } from '../promotion/model.ts';
import { floorPrice, type CampaignPlan, type StagePlan } from './plan.ts';

/** A stage's promotions are a new set with each revision: what has ended never begins again. Prices by SKU, minor units. */
export type StagePrices = { sku: string; price: number; cost: number }[];
export type StageWindow = { no: number; revision: number; from: string; until: string };

/** What order capture is to know of a stage: live in [from, until), whoever is up or down then. */
export function stagePromotions(campaign: { id: string; plan: CampaignPlan }, stage: StagePlan, window: StageWindow, prices: StagePrices): PromotionInput[] {
  const { plan } = campaign;
  const code = `CLR:${plan.reference}:${window.no}.${window.revision}`;
  const floors = prices.map((p) => ({ sku: p.sku, floor: Math.min(floorPrice(p.cost, plan.floorMargin), p.price) }));
  const priced = prices.map((p, i) => ({ sku: p.sku, price: p.price, floor: floors[i]?.floor ?? 0 }));
  const common = {
    code, name: plan.name, currency: plan.currency, from: window.from, until: window.until, campaignId: campaign.id, stage: String(window.no), status: 'active' as const,
    ...(plan.channels === undefined ? {} : { channels: plan.channels }),
  };
  switch (stage.kind) {
    case 'staff': return [{ ...common, kind: 'staff_price', terms: { groups: [stage.group] }, skus: priced, bearer: 'shop', perStaffUnits: stage.perPerson }];
    case 'coupon': return [{ ...common, kind: 'coupon', terms: { percentOff: stage.percentOff }, skus: floors, bearer: 'shop', ...(stage.stackable === undefined ? {} : { stackable: stage.stackable }) }];
    case 'live_stream': return [{ ...common, kind: 'markdown', terms: {}, skus: priced, bearer: 'shop', channels: [stage.channel] }];
    case 'markdown': return [{ ...common, kind: 'markdown', terms: {}, skus: priced, bearer: 'shop' }];
    case 'bundle': return prices.map((p, i) => ({
      ...common, code: `${code}.${i + 1}`, kind: 'bundle', terms: { items: [{ sku: p.sku, quantity: 1 }, ...stage.with.map((sku) => ({ sku, quantity: 1 }))], percentOff: stage.percentOff },
      skus: [{ sku: p.sku, floor: floors[i]?.floor ?? 0 }], bearer: stage.bearer,
    }));
    case 'gift': return [{
      ...common, kind: 'gift', terms: { gifts: [{ sku: stage.gift, quantity: stage.giftQuantity }], minQuantity: stage.minimum, repeat: true, outOfStock: 'drop' }, skus: floors, bearer: stage.bearer,
    }];
  }
}
