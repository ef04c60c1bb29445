import { dueReports, kindBarred, reportDone, reportPostponed, shipmentNews, type DueReport, type ReportKind } from '../../db/channels/reports.ts';
import { encodeId } from '../../domain/ids.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { inParallel, outsideFault, type SyncContext } from './context.ts';

const AT_ONCE = 4;
const BATCH = 50;

/**
 * Tells the platform of parcels and decisions, one order's in their order. A refusal ends the report and shows; one of the account ends none: what it met waits, all of a kind of which nothing goes through, and where nothing at
 * all does it is thrown. Anything else is tried again. Returns how many were due.
 */
export async function sendReports(context: SyncContext): Promise<number> {
  const { deps: { writer }, shop } = context;
  const due = await dueReports(writer.pool, shop.channel.id, writer.clock(), BATCH);
  const answered = new Set<ReportKind>();
  const barred: { kind: ReportKind; error: unknown }[] = [];
  // An app may have been granted one of the platform's calls and not another.
  const isBarred = (kind: ReportKind): boolean => !answered.has(kind) && barred.filter((b) => b.kind === kind).length >= AT_ONCE;
  await inParallel(due, AT_ONCE, async (report) => {
    const { id, kind } = report;
    if (context.over() || isBarred(kind)) return;
    try {
      await tell(context, report);
      await reportDone(writer.pool, id, writer.clock(), null);
      answered.add(kind);
    } catch (error) {
      const fault = outsideFault(error);
      if (!fault) throw error;
      if (fault.refused === 'account') barred.push({ kind, error });
      if (fault.refused !== 'this') await reportPostponed(writer.pool, id, writer.clock(), fault.text, fault.retryAfterMs ?? null, fault.refused === 'account');
      else {
        await reportDone(writer.pool, id, writer.clock(), fault.text);
        answered.add(kind);
      }
      if (isBarred(kind)) await kindBarred(writer.pool, shop.channel.id, kind, writer.clock(), fault.text, fault.retryAfterMs ?? 0);
    }
    context.did();
  });
  if (answered.size === 0 && barred.length > 0) throw barred[0]?.error;
  return due.length;
}

const silent = (what: string): PartnerRefused => new PartnerRefused(0, `this platform takes no ${what}`);

async function tell(context: SyncContext, { kind, key, body }: DueReport): Promise<void> {
  const { connector, setting } = context;
  const externalId = String(body['externalId']);
  switch (kind) {
    case 'shipment': return tellParcels(context, externalId, key, body['rest'] === true);
    case 'address':
      if (!connector.answerAddressChange) throw silent('answer to a wished address by API: answer there');
      return connector.answerAddressChange(externalId, body['approved'] === true, key);
    case 'cancellation':
      if (connector.cancelOrder) return setting(async () => connector.cancelOrder?.(externalId, String(body['reason'] ?? ''), key));
      // What is not paid the platform ends itself.
      if (body['unpaid'] === true) return;
      throw silent('cancellation by API: refund the buyer there');
    case 'after_sale':
      if (!connector.answerAfterSale) throw silent('decision on after-sales by API: decide there');
      return connector.answerAfterSale(externalId, String(body['afterSaleId']), { approved: body['approved'] === true, reason: String(body['reason'] ?? '') }, key);
  }
}

/**
 * All parcels of an order so far, each by its own key: those told before are known to the platform, or to the connector, and change nothing. One that is refused keeps no other back; the report is refused for those
 * of its own shipment, the others have reports of their own. `rest`: units were cancelled after parcels had left; that is told where they were the last ones.
 */
async function tellParcels({ connector, deps: { writer }, shop: { channel } }: SyncContext, externalId: string, key: string, rest: boolean): Promise<void> {
  const news = await shipmentNews(writer.pool, channel.id, externalId);
  if (rest && news?.last !== true) return;
  if (!connector.reportShipment && !connector.reportParcels) throw silent('parcels by API: enter them there');
  const parcels = (news?.parcels ?? []).filter((p) => p.lines.length > 0);
  if (news?.last === true && news.parcels.length > 0 && parcels.length === 0) throw new PartnerRefused(200, `parcels ${news.parcels.map((p) => p.waybillNo).join(', ')} hold no whole unit of the platform's lines: enter them there`, false);
  const all = parcels.map((p, i) => ({ ...p, externalId, last: (news?.last ?? false) && i === parcels.length - 1 }));
  if (connector.reportParcels) return connector.reportParcels(externalId, all);
  const refused: { waybillNo: string; error: PartnerRefused }[] = [];
  for (const [i, report] of all.entries()) {
    try {
      await connector.reportShipment?.({ ...report, parcels: all.slice(0, i + 1) });
    } catch (error) {
      if (!(error instanceof PartnerRefused) || error.account) throw error;
      if (key.endsWith(`:${encodeId('shp', report.shipment)}`)) refused.push({ waybillNo: report.waybillNo, error });
    }
  }
  const [first] = refused;
  if (first) throw new PartnerRefused(first.error.status, refused.map((r) => `parcel ${r.waybillNo}: ${r.error.message}`).join('; '), false);
}
