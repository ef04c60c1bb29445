import { afterEach, describe, expect, it } from 'vitest';
import { channelKinds } from '../../../channels/registry.ts';
import type { AfterSale } from '../../../simulators/platform/order.ts';
import { BareShop } from '../support/bare-shop.ts';

/** Settings that agreed returns need. */
const RETURNS: Readonly<Record<string, Record<string, unknown>>> = { kuaishou: { returnAddressId: '77' }, wechat: { returnAddressId: '77' }, pinduoduo: { refundAddressId: '77' } };
/** What takes no refusal by API: it says so, and nothing is changed. */
const NO_REFUSAL = new Set(['pinduoduo']);

/** Decisions on after-sales, on every platform that takes them. */
describe.each(channelKinds.filter((k) => k.capabilities.afterSale === 'decide').map((k) => [k.platform, k] as const))('%s', (platform, kind) => {
  let shop: BareShop | null = null;
  afterEach(async () => {
    await shop?.close();
    shop = null;
  });
  const claimed = async (wanted: AfterSale['kind']) => {
    shop = await BareShop.open(kind, RETURNS[platform] ?? {}, 700);
    const state = shop.platform.shop;
    const order = state.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    if (!order) throw new Error('the platform has not enough of it');
    if (wanted !== 'refund') state.ship(order.id, { key: 'k', carrier: 'sim', number: 'W-1', lines: null });
    const claim = state.openAfterSale(order.id, { kind: wanted });
    const decide = (approved: boolean) => shop?.connector.answerAfterSale?.(order.id, claim.id, { approved, reason: 'as agreed' }, 'key');
    return { decide, faults: shop.platform.faults, status: () => state.afterSale(claim.id).afterSale.status };
  };

  it.each([[true, 'agreed'], [false, 'refused']] as const)('is told once though the answer was lost (agreed: %s)', async (approved, wanted) => {
    const { decide, faults, status } = await claimed('refund');
    if (!approved && NO_REFUSAL.has(platform)) {
      await expect(decide(false)).rejects.toThrow('takes no refusal');
      expect(status()).toBe('requested');
      return;
    }
    faults.nextTimeouts = 1;
    await expect(decide(approved)).rejects.toThrow(/TimeoutError|does not answer/);
    await decide(approved);
    const after = status();
    await decide(approved);
    expect([status(), approved && after === 'done' ? wanted : after]).toEqual([after, wanted]); // some pay back at once
  });

  it.runIf(['douyin', 'kuaishou', 'wechat'].includes(platform))('does not pay an exchange back: it is decided at the platform', async () => {
    const { decide, status } = await claimed('exchange');
    for (const approved of [true, false]) await expect(decide(approved)).rejects.toThrow("at the platform's desk");
    expect(status()).toBe('requested');
  });

  it.runIf(kind.capabilities.addressChange === 'asked' && platform === 'douyin').each([[true], [false]])('answers a wish for another address once though the answer was lost (%s)', async (approved) => {
    shop = await BareShop.open(kind, {}, 700);
    const state = shop.platform.shop;
    const order = state.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    if (!order) throw new Error('the platform has not enough of it');
    state.changeAddress(order.id, { street: '2 Other Road' }, true);
    shop.platform.faults.nextTimeouts = 1;
    const answer = () => shop?.connector.answerAddressChange?.(order.id, approved, 'key');
    await expect(answer()).rejects.toThrow('does not answer');
    await answer();
    const there = state.order(order.id);
    expect([there.addressAnswer, there.wantedAddress, there.address.street === '2 Other Road']).toEqual([approved, null, approved]);
  });
});
