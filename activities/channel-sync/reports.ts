import { dueReports, reportDone, reportPostponed, shipmentNews, type DueReport } from '../../db/channels/reports.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { inParallel, outsideFault, type SyncContext } from './context.ts';

const AT_ONCE = 4;
const BATCH = 50;

/** Tells the platform of parcels and decisions, one order's in their order. A refusal ends the report and shows; anything else is tried again. Returns how many were due. */
export async function sendReports(context: SyncContext): Promise<number> {
  const { deps: { writer }, shop } = context;
  const due = await dueReports(writer.pool, shop.channel.id, writer.clock(), BATCH);
  await inParallel(due, AT_ONCE, async (report) => {
    if (context.over()) return;
    try {
      await tell(context, report);
      await reportDone(writer.pool, report.id, writer.clock(), null);
    } catch (error) {
      const fault = outsideFault(error);
      if (fault?.refused) await reportDone(writer.pool, report.id, writer.clock(), fault.text);
      else if (fault) await reportPostponed(writer.pool, report.id, writer.clock(), fault.text);
      else throw error;
    }
    context.did();
  });
  return due.length;
}

async function tell({ connector, deps: { writer }, shop: { channel } }: SyncContext, { kind, key, body }: DueReport): Promise<void> {
  const externalId = String(body['externalId']);
  switch (kind) {
    case 'shipment': {
      if (!connector.reportShipment && !connector.reportParcels) return;
      const news = await shipmentNews(writer.pool, channel.id, externalId);
      const parcels = (news?.parcels ?? []).filter((p) => p.lines.length > 0);
      // Each parcel by its own key: those told before are known to the platform, or to the connector, and change nothing.
      const all = parcels.map((p, i) => ({ ...p, externalId, last: (news?.last ?? false) && i === parcels.length - 1 }));
      if (connector.reportParcels) return connector.reportParcels(externalId, all);
      for (const [i, report] of all.entries()) await connector.reportShipment?.({ ...report, parcels: all.slice(0, i + 1) });
      return;
    }
    case 'address': return connector.answerAddressChange ? connector.answerAddressChange(externalId, body['approved'] === true, key) : undefined;
    case 'cancellation':
      if (connector.cancelOrder) return connector.cancelOrder(externalId, String(body['reason'] ?? ''), key);
      // What is not paid the platform ends itself.
      if (body['unpaid'] === true) return;
      throw new PartnerRefused(0, 'this platform takes no cancellation by API: refund the buyer there');
    case 'after_sale':
      if (!connector.answerAfterSale) throw new PartnerRefused(0, 'this platform takes no decision on after-sales by API: decide there');
      return connector.answerAfterSale(externalId, String(body['afterSaleId']), { approved: body['approved'] === true, reason: String(body['reason'] ?? '') }, key);
  }
}
