import type pg from 'pg';

/**
 * Moves a reader of the ledger or the events on to the oldest transaction that is still open (DESIGN 3): rows of xid8 in [from, to) are its to read in this transaction, none is
 * passed over. A reader that is new begins at `first`, or now. Null: nothing can have changed.
 */
export async function advanceReader(client: pg.ClientBase, name: string, now: Date, first: string | null = null): Promise<{ from: string; to: string } | null> {
  const { rows: [row] } = await client.query<{ from: string; to: string }>({
    name: 'reader_move',
    text: `with s as materialized (select pg_snapshot_xmin(pg_current_snapshot()) x), old as materialized (select upto from readers where name = $1),
        new as (insert into readers (name, upto, at) select $1, x, $2 from s on conflict (name) do update set upto = excluded.upto, at = excluded.at)
      select coalesce((select upto from old), $3::text::xid8, x)::text "from", x::text "to" from s`,
    values: [name, now, first],
  });
  return row && row.from !== row.to ? row : null;
}
