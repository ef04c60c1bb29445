import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareOrder } from '../../db/capture/prepare.ts';
import { expireDue } from '../../db/orders/expiry.ts';
import { cancelOrder } from '../../db/orders/cancel-order.ts';
import { openStore } from '../../db/store.ts';
import { Vault, type Contact } from '../../db/vault.ts';
import { decodeId } from '../../domain/ids.ts';
import { VAULT_KEY, World } from '../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create({ stock: 1000 }); });
afterAll(async () => { await world.close(); });

const contact: Contact = {
  buyer: { name: 'Buyer' }, shipTo: { name: 'Receiver', phone: '1', country: 'CN', province: 'P', city: 'C', street: 'S' }, buyerRemark: null, sellerRemark: null, invoice: null,
};
const persons = (vault: Vault, ...hashes: (Buffer | null)[]) => world.store.writer.change((tx) => vault.persons(tx.client, hashes));
const contactOf = async (orderId: string): Promise<string> => (await world.one<{ id: string }>('select contact_id id from orders where id = $1', decodeId('ord', orderId))).id;

/** Where in the whole database a text can be read: in text, JSON, arrays, and in bytes as they are, as hex and as base64. */
async function readable(canary: string): Promise<string[]> {
  const { rows } = await world.store.pool.query<{ t: string; c: string }>(
    `select table_name t, column_name c from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'public' and table_type = 'BASE TABLE' and data_type in ('text', 'jsonb', 'json', 'bytea', 'character', 'character varying', 'ARRAY') order by 1, 2`);
  expect(rows.length).toBeGreaterThan(60);
  const found: string[] = [];
  const bytes = Buffer.from(canary);
  for (const { t, c } of rows) {
    const { rows: [hit] } = await world.store.pool.query<{ n: number }>(
      `select count(*)::int n from "${t}" where position($1 in "${c}"::text) > 0 or position($2 in "${c}"::text) > 0 or position($3 in "${c}"::text) > 0`,
      [canary, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '').slice(0, -1)]);
    if (hit!.n > 0) found.push(`${t}.${c}`);
  }
  return found;
}

test('the search for readable data finds what is there', async () => {
  await world.store.pool.query(`insert into partner_events (source, event_id, body_hash, status, response) values ('test', 'canary', $1, 200, '{"deep": [{"name": "Scanned Canary"}]}')`, [Buffer.from('xx Scanned Canary')]);
  expect(await readable('Scanned Canary')).toEqual(['partner_events.body_hash', 'partner_events.response']);
  await world.store.pool.query(`delete from partner_events where event_id = 'canary'`);
});

test('no table shows a person, after a capture, a refusal, a hold, a cancellation, an expiry', async () => {
  const person = (n: number) => ({
    buyer: { id: `Canary-Account-${n}`, name: `Canary Buyer ${n}`, phone: `+86-555-0100-77${n}`, email: `canary.${n}@example.test` },
    shipTo: { name: `Canary Receiver ${n}`, phone: `+86-555-0199-88${n}`, country: 'CN', province: 'Shanghai', city: 'Shanghai', district: 'Pudong', street: `${n} Canary Street, door Zebra`, postcode: `P0ST-${n}` },
    buyerRemark: `canary remark of buyer ${n}`, sellerRemark: `canary remark of seller ${n}`,
    invoice: { type: 'company' as const, title: `Canary Works ${n} Ltd`, taxNumber: `TAX-CANARY-${n}`, email: `tax.${n}@example.test` },
  });
  const kept = await world.capture(person(1));
  const cancelled = await world.capture(person(2));
  await cancelOrder(world.store.writer, decodeId('ord', cancelled.id)!, 'no longer wanted', 'key:test');
  const unpaid = await world.capture({ ...person(3), payment: { status: 'unpaid' } });
  world.now = new Date(world.now.getTime() + 3_600_000);
  expect(await expireDue(world.store.writer)).toBe(1);
  expect(await world.status(unpaid.id)).toBe('expired');
  const held = await world.capture({ ...person(4), channel: 'douyin', lines: [{ sku: 'SKU-NONE', quantity: 1, unitPrice: 1 }] });
  expect(held.status).toBe('on_hold');
  const intake = world.intake({ ...person(5), lines: [{ sku: 'SKU-1', quantity: 100_000, unitPrice: 1 }] });
  const refused = await world.store.capture.submit(prepareOrder(intake, world.store.network, world.store.vault, world.now, { apiKeyId: 1, idempotencyKey: 'vault-refused', actor: 'key:test', locationId: null }));
  expect(refused).toMatchObject({ problem: { code: 'insufficient_stock' } });
  for (const canary of ['anary', '555-0100', '555-0199', 'Zebra', 'P0ST', '@example.test', 'TAX-']) expect(await readable(canary), canary).toEqual([]);
  const { buyer, shipTo, buyerRemark, sellerRemark, invoice } = person(1);
  expect(await world.store.vault.readContact(world.store.pool, await contactOf(kept.id))).toEqual({ buyer, shipTo, buyerRemark, sellerRemark, invoice });
});

describe('persons', () => {
  const identity = (vault: Vault = world.store.vault): Buffer => vault.hash('buyer', randomUUID());

  test('the same identity is the same person with the same key; without one everybody is new', async () => {
    const hash = identity();
    const [a, nobody, b, other] = await persons(new Vault(VAULT_KEY), hash, null, hash, identity());
    expect([a!.id, a!.key]).toEqual([b!.id, b!.key]);
    expect(new Set([a!.id, nobody!.id, other!.id]).size).toBe(3);
    expect(a!.key).toHaveLength(32);
    expect(await persons(new Vault(VAULT_KEY), hash)).toEqual([a]);
    const [again] = await persons(new Vault(VAULT_KEY), null);
    expect(again!.id).not.toBe(nobody!.id);
  });

  test('a phone number written otherwise is the same person; another kind of fact is another hash', () => {
    const { vault } = world.store;
    expect(vault.hash('buyer', ' １３８ABC ')).toEqual(vault.hash('buyer', '138abc'));
    expect(vault.hash('phone', '138')).not.toEqual(vault.hash('buyer', '138'));
    expect(vault.hash('buyer', '138')).not.toEqual(vault.hash('buyer', '139'));
    expect(new Vault(Buffer.alloc(32, 8)).hash('buyer', '138')).not.toEqual(vault.hash('buyer', '138'));
  });

  test('one new person by twenty transactions at once is one row', async () => {
    const hash = identity();
    const found = await Promise.all(Array.from({ length: 20 }, () => persons(new Vault(VAULT_KEY), hash, null)));
    expect(new Set(found.map(([p]) => p!.id)).size).toBe(1);
    expect(new Set(found.map(([p]) => p!.key.toString('hex'))).size).toBe(1);
    expect(await world.one('select count(*)::int n from persons where identity_hash = $1', hash)).toEqual({ n: 1 });
  });

  test('many new persons by transactions at once, named in any order, end without a deadlock', async () => {
    const hashes = Array.from({ length: 30 }, () => identity());
    const found = await Promise.all(Array.from({ length: 10 }, (_, n) => persons(new Vault(VAULT_KEY), ...(n % 2 ? hashes : hashes.toReversed())).then((p) => (n % 2 ? p : p.toReversed()))));
    for (const people of found) expect(people.map((p) => p.id)).toEqual(found[0]!.map((p) => p.id));
  });

  test('a person whose transaction was rolled back is not believed in', async () => {
    const vault = new Vault(VAULT_KEY);
    const hash = identity();
    const gone: { id: string }[] = [];
    await expect(world.store.writer.change(async (tx) => {
      gone.push(...await vault.persons(tx.client, [hash]));
      throw new Error('no');
    })).rejects.toThrow('no');
    const [person] = await persons(vault, hash);
    expect(person!.id).not.toBe(gone[0]!.id);
  });
});

describe('contacts', () => {
  async function written(vault = world.store.vault): Promise<{ personId: string; contactId: string; hash: Buffer }> {
    const hash = vault.hash('buyer', randomUUID());
    const [person] = await persons(vault, hash);
    const contactId = await world.store.writer.change((tx) => vault.writeContact(tx.client, person!.id, contact));
    return { personId: person!.id, contactId, hash };
  }

  test('are read as they were written; another record for another address, the first stays', async () => {
    const { personId, contactId } = await written();
    const moved = { ...contact, shipTo: { ...contact.shipTo, street: 'elsewhere' } };
    const second = await world.store.writer.change((tx) => world.store.vault.writeContact(tx.client, personId, moved));
    expect(await world.store.vault.readContact(world.store.pool, contactId)).toEqual(contact);
    expect(await world.store.vault.readContact(world.store.pool, second)).toEqual(moved);
    expect(await world.store.vault.readContact(world.store.pool, randomUUID())).toBeNull();
  });

  test('the same words are never the same bytes', async () => {
    const { personId } = await written();
    await world.store.writer.change((tx) => world.store.vault.writeContact(tx.client, personId, contact));
    const { rows } = await world.store.pool.query<{ c: Buffer }>('select ciphertext c from vault_records where person_id = $1', [personId]);
    expect(rows).toHaveLength(2);
    expect(rows[0]!.c).not.toEqual(rows[1]!.c);
  });

  test('another master key opens nothing; a changed byte, nonce or another person\'s record is refused', async () => {
    const { personId, contactId } = await written();
    await expect(new Vault(Buffer.alloc(32, 8)).readContact(world.store.pool, contactId)).rejects.toThrow(/authenticate/);
    const read = () => world.store.vault.readContact(world.store.pool, contactId);
    const { c } = await world.one<{ c: Buffer }>('select ciphertext c from vault_records where id = $1', contactId);
    for (const at of [0, 12, 28, c.length - 1]) {
      const changed = Buffer.from(c);
      changed[at]! ^= 1;
      await world.store.pool.query('update vault_records set ciphertext = $2 where id = $1', [contactId, changed]);
      await expect(read(), `byte ${at}`).rejects.toThrow(/authenticate/);
    }
    await world.store.pool.query('update vault_records set ciphertext = $2 where id = $1', [contactId, c]);
    const other = await written();
    await world.store.pool.query('update vault_records set person_id = $2 where id = $1', [contactId, other.personId]);
    await expect(read()).rejects.toThrow(/authenticate/);
    await world.store.pool.query('update vault_records set person_id = $2 where id = $1', [contactId, personId]);
    expect(await read()).toEqual(contact);
  });

  test('an erased person is gone: null to read, nothing to write, and known to nobody', async () => {
    const { personId, contactId, hash } = await written();
    await world.store.pool.query('update persons set wrapped_key = null, identity_hash = null, erased_at = now() where id = $1', [personId]);
    expect(await world.store.vault.readContact(world.store.pool, contactId)).toBeNull();
    await expect(world.store.writer.change((tx) => world.store.vault.writeContact(tx.client, personId, contact))).rejects.toThrow('this person has been erased');
    const [stranger] = await persons(new Vault(VAULT_KEY), hash);
    expect(stranger!.id).not.toBe(personId);
  });
});

describe('secrets of partners', () => {
  test('are sealed under the master key and opened only with it', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const sealed = world.store.vault.sealSecret(secret);
    expect(sealed.includes(Buffer.from(secret))).toBe(false);
    expect(sealed).not.toEqual(world.store.vault.sealSecret(secret));
    expect(new Vault(VAULT_KEY).openSecret(sealed)).toBe(secret);
    expect(() => new Vault(Buffer.alloc(32, 8)).openSecret(sealed)).toThrow(/authenticate/);
  });

  test('a key of another length is no key', () => {
    for (const length of [0, 16, 31, 33]) expect(() => new Vault(Buffer.alloc(length))).toThrow('the vault key must be 32 bytes');
  });
});

test('a store with another vault key does not recognise the person, and cannot read the contact', async () => {
  const order = await world.capture();
  const other = await openStore({ url: world.database.url, vaultKey: Buffer.alloc(32, 9), clock: () => world.now });
  await expect(other.vault.readContact(other.pool, await contactOf(order.id))).rejects.toThrow(/authenticate/);
  expect(other.vault.hash('buyer', '10000000001')).not.toEqual(world.store.vault.hash('buyer', '10000000001'));
  await other.close();
});
