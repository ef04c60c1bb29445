import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeId } from '../../../domain/ids.ts';
import { DealerScene, EDIFACT } from './dealer-scene.ts';

function orders(no: number, orderNo: string, lines: [gtin: string, sku: string, quantity: number][], more: { function?: string; test?: boolean; syntax?: string; name?: string } = {}): Buffer {
  const body = [
    'UNH+1+ORDERS:D:96A:UN:EAN008', `BGM+220+${orderNo}+${more.function ?? '9'}`, 'DTM+137:20261122:102', 'NAD+BY+4012345000009::9', 'NAD+SU+5412345000013::9', `NAD+DP+4012345000018::9++${more.name ?? 'Markt Süd'}+1 Example Straße+Shanghai++200000+CN`, 'COM+0221123:TE',
    'CUX+2:CNY:9', ...lines.flatMap(([gtin, sku, quantity], i) => [`LIN+${i + 1}++${gtin}:EN`, `PIA+1+${sku}:SA`, `QTY+21:${quantity}:PCE`, 'PRI+AAA:10']), 'UNS+S', `CNT+2:${lines.length}`,
  ];
  const text = `UNA:+.? 'UNB+${more.syntax ?? 'UNOC'}:3+4012345000009:14+5412345000013:14+261123:0200+${no}${more.test ? '++++++1' : ''}'${body.join("'")}'UNT+${body.length + 1}+1'UNZ+1+${no}'`;
  return Buffer.from(text, more.syntax === 'UNOW' ? 'utf8' : 'latin1');
}

describe('an order by EDIFACT', () => {
  let s: DealerScene;
  beforeAll(async () => { s = await DealerScene.open({ gs1Prefix: '5412345', edi: { sender: '4012345000009:14', receiver: '5412345000013:14' } }); });
  afterAll(() => s.close());

  it('ORDERS in → CONTRL and ORDRSP out → shipped → DESADV out, byte by byte', async () => {
    const sent = await s.post(orders(55, 'PO1', [['4000862141404', 'SKU-1', 2], ['4000862141411', 'SKU-2', 40]]), EDIFACT, 'orders.edi');
    expect([sent.status, sent.body.orders, sent.body.faultList]).toEqual([201, 1, []]);
    expect(await s.written('CONTRL')).toEqual([
      "UNA:+.? 'UNB+UNOC:3+5412345000013:14+4012345000009:14+261123:0200+1'UNH+1+CONTRL:D:3:UN'UCI+55+4012345000009:14+5412345000013:14+7'UCM+1+ORDERS:D:96A:UN:EAN008+7'UNT+4+1'UNZ+1+1'"]);
    await s.sync();
    const id = await s.order('PO1');
    const head = "NAD+BY+4012345000009::9'NAD+SU+5412345000013::9'NAD+DP+4012345000018::9'";
    expect(await s.written('ORDRSP')).toEqual([
      `UNA:+.? 'UNB+UNOC:3+5412345000013:14+4012345000009:14+261123:0200+2'UNH+2+ORDRSP:D:96A:UN:EAN005'BGM+231+${id}+4'DTM+137:20261123:102'RFF+ON:PO1'DTM+171:20261122:102'${head}`
      + "LIN+1+5+4000862141404:EN'PIA+1+SKU-1:SA'QTY+21:2:PCE'QTY+113:2:PCE'LIN+2+3+4000862141411:EN'PIA+1+SKU-2:SA'QTY+21:40:PCE'QTY+113:30:PCE'QTY+83:10:PCE'UNS+S'CNT+2:2'UNT+20+2'UNZ+1+2'"]);
    await s.world.setStock('SKU-2', { [[...s.world.store.network.locations.keys()][0]!]: 100 });
    await s.ship('PO1');
    await s.sync();
    const shipments = (await s.world.store.pool.query<{ id: string; waybill: string; lines: [number, number][] }>(
      `select s.id, p.waybill_no waybill, json_agg(json_build_array(l.line_no, l.quantity) order by l.line_no) lines from shipments s join parcels p on p.shipment_id = s.id join parcel_lines l on l.parcel_id = p.id group by s.id, p.id order by p.id`)).rows;
    const written = await s.written('DESADV');
    expect(written.length).toBe(shipments.length);
    const [first] = shipments;
    const lines = first!.lines.map(([n, q], i) => `LIN+${i + 1}++${n === 1 ? '4000862141404' : '4000862141411'}:EN'PIA+1+SKU-${n}:SA'QTY+12:${q}:PCE'RFF+ON:PO1:${n}'`).join('');
    const count = 17 + 4 * first!.lines.length + 2;
    expect(written[0]).toBe(
      `UNA:+.? 'UNB+UNOC:3+5412345000013:14+4012345000009:14+261123:0200+3'UNH+3+DESADV:D:96A:UN:EAN005'BGM+351+${encodeId('shp', first!.id)}+9'DTM+137:20261123:102'DTM+11:202611230200:203'RFF+ON:PO1'DTM+171:20261122:102'${head}TDT+20++30++sim'CPS+1'PAC+1++CT'`
      + `CPS+2+1'PAC+1++CT'PCI+33E'RFF+CN:${first!.waybill}'GIN+BJ+054123450000000013'${lines}CNT+2:${first!.lines.length}'UNT+${count}+3'UNZ+1+3'`);
    const shipped = written.join('').matchAll(/QTY\+12:(\d+)/g);
    expect([...shipped].reduce((sum, m) => sum + Number(m[1]), 0)).toBe(shipments.flatMap((x) => x.lines).reduce((sum, [, q]) => sum + q, 0));
  });

  it('letters by the character set that UNB names', async () => {
    await s.post(orders(56, 'PO2', [['4000862141404', 'SKU-1', 1]]), EDIFACT);
    await s.post(orders(57, 'PO3', [['4000862141404', 'SKU-1', 1]], { syntax: 'UNOW', name: '门店' }), EDIFACT);
    await s.sync();
    const names = [];
    for (const no of ['PO2', 'PO3']) {
      const { contact_id } = await s.world.one<{ contact_id: string }>('select contact_id from orders where external_id = $1', no);
      names.push((await s.world.store.vault.readContact(s.world.store.pool, contact_id))?.shipTo.name);
    }
    expect(names).toEqual(['Markt Süd', '门店']);
    expect((await s.post(orders(58, 'PO4', [['4000862141404', 'SKU-1', 1]], { syntax: 'UNOB' }), EDIFACT)).body).toMatchObject({ orders: 0, faultList: [{ field: 'NAD' }] });
  });

  it('cancelled by function 1; a test makes no order; a used control number is refused; a stranger too', async () => {
    await s.post(orders(60, 'PO2', [], { function: '1' }), EDIFACT);
    await s.sync();
    expect(await s.world.status(await s.order('PO2'))).toBe('cancelled');
    expect((await s.written('ORDRSP')).at(-1)).toContain("+1'DTM+137:20261123:102'RFF+ON:PO2'");
    const before = await s.count('orders');
    expect((await s.post(orders(61, 'PO9', [['4000862141404', 'SKU-1', 1]], { test: true }), EDIFACT)).body.orderList).toMatchObject([{ outcome: 'test' }]);
    expect((await s.post(orders(60, 'PO8', [['4000862141404', 'SKU-1', 1]]), EDIFACT)).body).toMatchObject({ orders: 0, documents: [{ kind: 'CONTRL' }] });
    expect((await s.written('CONTRL')).at(-1)).toContain('UCI+60+4012345000009:14+5412345000013:14+4+26+UNB+6');
    const stranger = Buffer.from(orders(62, 'PO7', [['4000862141404', 'SKU-1', 1]]).toString('latin1').replace('4012345000009:14+', '9999999999999:14+'), 'latin1');
    expect((await s.post(stranger, EDIFACT)).body).toMatchObject({ orders: 0, faults: 1 });
    await s.sync();
    expect(await s.count('orders')).toBe(before);
    const numbers = await s.controls();
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  });
});
