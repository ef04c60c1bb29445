import pg from 'pg';

/** Reservations a second by one conditional UPDATE each, on one row, over so many connections. */
export async function conditionalUpdate(url: string, connections: number, seconds: number): Promise<number> {
  return drive(url, connections, seconds,
    ['create unlogged table if not exists rival_level (id int primary key, on_hand int, reserved int)', 'alter table rival_level set logged', 'insert into rival_level values (1, 100000000, 0) on conflict do nothing'],
    'update rival_level set reserved = reserved + 1 where id = 1 and on_hand - reserved >= 1');
}

/** Reservations a second with a row for each unit, taken by SKIP LOCKED. */
export async function unitRows(url: string, connections: number, seconds: number): Promise<number> {
  return drive(url, connections, seconds,
    ['create table rival_units (id int primary key, taken boolean not null default false)', 'insert into rival_units select i from generate_series(1, 300000) i', 'create index on rival_units (id) where not taken', 'analyze rival_units'],
    'update rival_units set taken = true where id = (select id from rival_units where not taken order by id limit 1 for update skip locked)');
}

async function drive(url: string, connections: number, seconds: number, prepare: readonly string[], statement: string): Promise<number> {
  const clients = await Promise.all(Array.from({ length: connections }, async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client;
  }));
  for (const text of prepare) await clients[0]?.query(text);
  const started = performance.now();
  const until = started + seconds * 1000;
  let done = 0;
  await Promise.all(clients.map(async (client) => {
    while (performance.now() < until) done += (await client.query({ name: 'rival', text: statement, values: [] })).rowCount ?? 0;
  }));
  const perSecond = done / ((performance.now() - started) / 1000);
  await Promise.all(clients.map((client) => client.end()));
  return perSecond;
}
