import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { seeded } from '../support/random.ts';

const CHUNK = 65_536;

/** SKUs, locations of every kind and `levels` non-zero levels spread over them by COPY, the receipt of each in the ledger. */
export async function fill(url: string, skus: number, locations: number, levels: number, say: (text: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `insert into locations (code, name, kind, country, province, city, lat, lon, time_zone, cutoff_minutes, handling_minutes, work_days, handling_cost, accept_timeout_s)
       select 'L-' || i, 'L-' || i, (array['store', 'store', 'store', 'store', 'store', 'store', 'store', 'dealer', 'third_party', 'vendor'])[1 + i % 10], 'CN', province, city, lat, lon,
         'Asia/Shanghai', 960, 60, '{1,2,3,4,5,6,7}', 200, 600
       from generate_series((select count(*) from locations) + 1, $1::int) i, lateral (select * from places order by city offset i % 6 limit 1) p`, [locations]);
    await client.query(`insert into skus (code, name, weight_g, cost) select 'SKU-' || i, 'Article ' || i, 300, 1000 from generate_series((select count(*) from skus) + 1, $1::int) i`, [skus]);
    const { rows: places } = await client.query<{ id: number }>('select id from locations order by id');
    const { rows: articles } = await client.query<{ id: number }>('select id from skus order by id');
    const perSku = Math.round(levels / articles.length);
    const random = seeded(7);
    let written = 0;
    function* rows(): Generator<string> {
      let chunk = '';
      for (const { id } of articles) {
        // Every SKU begins anywhere and takes each n-th location, so that none is twice there and all are used alike.
        const from = Math.floor(random() * places.length);
        for (let i = 0; i < perSku; i++) {
          chunk += `${places[(from + Math.floor((i * places.length) / perSku)) % places.length]?.id ?? 0}\t${id}\t${20 + Math.floor(random() * 80)}\n`;
          written++;
        }
        if (chunk.length < CHUNK) continue;
        yield chunk;
        chunk = '';
        if (written % 1_000_000 < 2_000) say(`${written} levels`);
      }
      yield chunk;
    }
    await client.query('truncate stock_movements');
    await client.query('delete from stock_levels');
    await client.query('alter table stock_levels alter id restart');
    await pipeline(Readable.from(rows(), { objectMode: false }), client.query(copyFrom('copy stock_levels (location_id, sku_id, on_hand) from stdin')));
    say(`${written} levels written`);
    await client.query(`insert into skus (code, name, weight_g, cost) values ('MARKER', 'asked for by the probes of the lag', 300, 1000)`);
    await client.query(`insert into stock_levels (location_id, sku_id, on_hand) select min(l.id), max(s.id), 1 from locations l, skus s where s.code = 'MARKER'`);
    await client.query(`insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) select uuidv7(), 0, id, on_hand, 0, 'receipt' from stock_levels`);
    await client.query('vacuum analyze');
    await client.query('checkpoint');
    say('receipts written');
  } finally {
    await client.end();
  }
}
