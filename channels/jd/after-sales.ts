import { createHash } from 'node:crypto';
import type { SeenAfterSale, SeenLine } from '../../domain/channel/seen-order.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import type { ChangedOrder } from '../channel.ts';
import { chinaTime, fromChinaTime } from '../china-time.ts';
import { minorUnits } from '../money.ts';
import { bag, list, long, text, whole, type Bag } from '../safe-json.ts';
import type { JdClient } from './client.ts';
import type { JdSettings } from './settings.ts';

/** What an after-sale names of an order: a SKU, an item, or (null) all of it. */
type Meant = { sku: string | null; item: string | null; quantity: number | null };
export type FoundAfterSale = Omit<SeenAfterSale, 'lines'> & { lines: Meant[] | null };

const PAGE = 50;
const REFUNDS = 'jingdong.pop.afs.soa.refundapply.queryPageList';
const SERVICES = 'jingdong.asc.serviceAndRefund.view';
const PAID_BACK = 13;
/** customerExpect */
const KIND: Readonly<Record<string, SeenAfterSale['kind']>> = { '20': 'exchange', '30': 'repair' };
const DAY_MS = 86_400_000;
/** As far back as services are listed by the time they were asked for. */
const SWEPT_MS = 7 * DAY_MS - 60_000;
const HOUR_MS = 3_600_000;

/** The lines that an after-sale means. */
export function linesOf(meant: readonly Meant[] | null, lines: readonly SeenLine[]): { lineId: string; quantity: number }[] {
  if (meant === null) return lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity }));
  return meant.flatMap((c) => { const line = lines.find((l) => l.platformSku === c.sku) ?? lines.find((l) => l.itemId === c.item || l.platformSku === c.item); return line ? [{ lineId: line.lineId, quantity: Math.min(line.quantity, c.quantity ?? line.quantity) }] : []; });
}

/** After-sales of two kinds: applications to cancel what is paid and has not left (amounts in fen), and services for goods that have (amounts in yuan). */
export class JdAfterSales {
  readonly #client: JdClient;
  readonly #s: JdSettings;

  constructor(client: JdClient, s: JdSettings) {
    this.#client = client;
    this.#s = s;
  }

  /** Those of one order. */
  async of(orderId: string, which: 'refunds' | 'services' | null): Promise<FoundAfterSale[]> {
    const found: FoundAfterSale[] = [];
    for (let page = 1; which !== null; page++) {
      const { rows, total } = which === 'refunds' ? await this.#refunds({ orderId: long(orderId), showSku: true }, page) : await this.#services({ orderId: long(orderId) }, page);
      found.push(...rows.map((row) => (which === 'refunds' ? this.#refund(row) : service(row))));
      if (rows.length === 0 || page * PAGE >= total) break;
    }
    return found;
  }

  /**
   * Orders whose after-sales were made or decided in the window: neither changes the order's own time. What is paid back, or sent back, changes no time at all that one could ask for: once an hour all
   * after-sales of a week are looked at. `page`: source:number.
   */
  async changed({ from, to }: { from: number; to: number }, page: string): Promise<{ orders: ChangedOrder[]; next: string | null }> {
    const sources = ['refunds-made', 'refunds-decided', 'services-made', 'services-decided'] as const;
    const [source, n] = [Number(page.split(':')[0] ?? 0), Number(page.split(':')[1] ?? 1)];
    const sweep = Math.floor(from / HOUR_MS) !== Math.floor(to / HOUR_MS);
    const between = [chinaTime(sweep ? to - SWEPT_MS : from), chinaTime(to + 999)] as const;
    const narrow = [chinaTime(from), chinaTime(to + 999)] as const;
    const ask = {
      'refunds-made': () => this.#refunds({ applyTimeStart: between[0], applyTimeEnd: between[1] }, n), 'refunds-decided': () => this.#refunds({ checkTimeStart: narrow[0], checkTimeEnd: narrow[1] }, n),
      'services-made': () => this.#services({ applyTimeBegin: between[0], applyTimeEnd: between[1] }, n), 'services-decided': () => this.#services({ approveTimeBegin: narrow[0], approveTimeEnd: narrow[1] }, n),
    }[sources[source] ?? 'refunds-made'];
    const { rows, total } = await ask();
    const orders = rows.flatMap((row): ChangedOrder[] => {
      const bill = bag(row['sameOrderServiceBill']);
      const externalId = text(row['orderId']) ?? text(bill['orderId']);
      return externalId === null ? [] : [{ externalId, version: stateOf(row, bill) }];
    });
    if (rows.length > 0 && n * PAGE < total) return { orders, next: `${source}:${n + 1}` };
    return { orders, next: source + 1 < sources.length ? `${source + 1}:1` : null };
  }

  /** Agrees to an application, or refuses it; what is decided already is not decided again. Services are decided at JD's desk. */
  async decide(orderId: string, id: string, { approved, reason }: { approved: boolean; reason: string }): Promise<void> {
    const application = (await this.of(orderId, 'refunds')).find((c) => c.id === id);
    if (!application) throw new PartnerRefused(200, `after-sale ${id} is a service for goods that have left: its audit wants reasons and an address that only JD's desk has; decide there`);
    const { status } = application;
    if (approved ? status === 'agreed' || status === 'done' : status === 'refused' || status === 'closed') return;
    await this.#client.call('jingdong.pop.afs.soa.refundapply.replyRefund', {
      id: long(id), status: approved ? 1 : 2, checkUserName: this.#s.checkUserName, remark: reason.slice(0, 200) || (approved ? 'agreed' : 'refused'), ...(approved ? {} : { rejectType: this.#s.rejectType }), outWareStatus: 2,
    }, 'after_sale', 'replyResult');
  }

  async #refunds(by: Bag, page: number): Promise<{ rows: Bag[]; total: number }> {
    const found = await this.#client.call(REFUNDS, { ...by, pageIndex: page, pageSize: PAGE }, 'after_sale', 'queryResult');
    return { rows: list(found['result']).map(bag), total: whole(found['totalCount']) ?? 0 };
  }

  async #services(by: Bag, page: number): Promise<{ rows: Bag[]; total: number }> {
    const found = await this.#client.call(SERVICES, { ...by, pageNumber: page, pageSize: PAGE }, 'after_sale', 'pageResult');
    return { rows: list(found['data']).map(bag), total: whole(found['totalCount']) ?? 0 };
  }

  #refund(row: Bag): FoundAfterSale {
    const skus = this.#s.refundSkus.map((field) => list(row[field]).map(bag)).find((found) => found.length > 0);
    return {
      id: text(row['id']) ?? '', kind: 'refund', status: this.#s.refundStatus[text(row['status']) ?? ''] ?? 'requested', amount: whole(row['applyRefundSum']), reason: text(row['reason']) ?? '', waybill: null,
      version: fromChinaTime(row['modified']) ?? fromChinaTime(row['checkTime']) ?? fromChinaTime(row['applyTime']) ?? 0,
      lines: skus?.map((x) => ({ sku: text(x['skuId']), item: null, quantity: whole(x['skuNum']) ?? whole(x['num']) })) ?? null,
    };
  }
}

function service(row: Bag): FoundAfterSale {
  const bill = bag(row['sameOrderServiceBill']);
  const number = text(row['expressNo']);
  const approved = fromChinaTime(bill['approveDate']);
  const amount = text(row['refoundAmount']);
  return {
    id: text(bill['serviceId']) ?? '', kind: KIND[text(row['customerExpect']) ?? ''] ?? 'return',
    status: whole(row['status']) === PAID_BACK ? 'done' : number !== null ? 'goods_sent' : approved !== null ? 'agreed' : 'requested',
    amount: amount === null ? null : minorUnits(amount, 'CNY'), reason: text(bill['applyReason']) ?? text(bill['questionDesc']) ?? '', waybill: number === null ? null : { carrier: text(row['expressCompany']) ?? '', number },
    version: fromChinaTime(row['completeTime']) ?? approved ?? fromChinaTime(bill['afsApplyTime']) ?? 0, lines: [{ sku: text(bill['skuId']), item: text(bill['wareId']), quantity: whole(bill['serviceCount']) }],
  };
}

/** A number that is another one whenever the after-sale is: it has no version. Out of the way of times in ms. */
const stateOf = (row: Bag, bill: Bag): number => 2 ** 52 + createHash('sha256').update(JSON.stringify([row['id'], row['status'], row['checkTime'], bill['serviceId'], bill['approveDate'], row['expressNo'], row['completeTime']])).digest().readUIntBE(0, 6);
