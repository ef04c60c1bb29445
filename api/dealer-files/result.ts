import type { FileView } from '../../db/dealers/read.ts';
import type { FileOrderRow } from '../../db/dealers/read.ts';
import { csvRow } from '../../domain/dealer/values.ts';

/** A byte order mark, so that a spreadsheet knows the file is UTF-8. */
const BOM = '\uFEFF';

/** What became of a file, as a table to send back: faults by line, then every line of its orders. */
export function resultTable(file: FileView, orders: readonly FileOrderRow[]): string {
  const out = [BOM, csvRow(['line', 'orderNo', 'lineNo', 'sku', 'outcome', 'order', 'ordered', 'accepted', 'backordered', 'field', 'detail'])];
  for (const f of file.faultList) out.push(csvRow([f.line, f.orderNo, null, null, 'fault', null, null, null, null, f.field, f.detail]));
  for (const o of orders) {
    const state = o.outcome === 'taken' || o.outcome === 'repeated' ? (o.outcome === 'repeated' ? `repeated, ${o.state ?? ''}` : o.state ?? '') : o.outcome;
    const lines = o.sent?.lines ?? [];
    if (lines.length === 0) out.push(csvRow([o.line, o.orderNo, null, null, state, o.order, null, null, null, o.reason, o.detail]));
    for (const l of lines) {
      const answer = o.answer?.lines.find((a) => a.lineNo === l.lineNo);
      const refused = o.answer?.agreed === false || (o.answer !== null && answer === undefined);
      out.push(csvRow([o.line, o.orderNo, l.lineNo, l.ids[0]?.id ?? '', state, o.order, l.quantity, answer?.accepted ?? (refused ? 0 : null), answer?.backordered ?? (refused ? 0 : null), o.reason, o.detail]));
    }
  }
  return out.join('');
}
