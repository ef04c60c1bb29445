import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject, randomBytes, randomFillSync, hkdfSync } from 'node:crypto';
import type pg from 'pg';
import { uuidv7 } from '../runtime/ids.ts';

/** What an order's people said and are. Lives only encrypted; everything else refers to it by id. */
export type Contact = {
  buyer: { id?: string; name?: string; phone?: string; email?: string; wecomId?: string } | null;
  shipTo: ShipTo;
  buyerRemark: string | null;
  sellerRemark: string | null;
  invoice: { type: string; title: string; taxNumber?: string; email?: string } | null;
};
export type ShipTo = {
  name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string;
  token?: string; sealed?: Readonly<Record<string, string>>;
};

/** What tells one address from another: the platform's token, where it shows no more of it. */
export function addressText(a: ShipTo): string { return a.token === undefined ? `${a.province}|${a.city}|${a.district ?? ''}|${a.street}` : `token|${a.token}`; }
type Person = { id: string; key: Buffer };

const nonces = Buffer.alloc(12 * 512);
let nonceAt = nonces.length;

/** Random nonces, fetched by the hundred: a system call for each would cost more than the cipher. */
function nextNonce(): Buffer {
  if (nonceAt === nonces.length) {
    randomFillSync(nonces);
    nonceAt = 0;
  }
  nonceAt += 12;
  return Buffer.from(nonces.subarray(nonceAt - 12, nonceAt));
}

/** AES-256-GCM: 12 bytes nonce, 16 bytes tag, text. */
function seal(key: Buffer, plain: Buffer | string): Buffer {
  const nonce = nextNonce();
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

function open(key: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(12, 28));
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
}

const CACHE = 20_000;

/** Crockford's base32 (crockford.com/base32): nothing that is misread. */
const COUPON_LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The vault: a key per person, wrapped by the master key. `key` is 32 bytes. */
export class Vault {
  readonly #master: Buffer;
  readonly #hashKey: KeyObject;
  /** Persons met lately, by identity; ids and keys only. */
  readonly #known = new Map<string, Person>();
  /** The number of the last erasure that this process knows of; null until it has asked. */
  #erasedNo: number | null = null;
  /** Everybody of whose erasure it knows: a transaction that ends after it must not bring them back. */
  readonly #erased = new Set<string>();

  constructor(key: Buffer) {
    if (key.length !== 32) throw new Error('the vault key must be 32 bytes');
    this.#master = Buffer.from(hkdfSync('sha256', key, '', 'tributary vault wrap', 32));
    this.#hashKey = createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'tributary vault identity', 32)));
  }

  /** A keyed hash: the same person or address gives the same value, and nobody without the key can guess it. */
  hash(kind: 'buyer' | 'phone' | 'address' | 'email' | 'wecom' | 'coupon' | 'staff', value: string): Buffer {
    return createHmac('sha256', this.#hashKey).update(`${kind}\n${value.normalize('NFKC').trim().toLowerCase()}`).digest().subarray(0, 16);
  }

  /** The code of eight digits that a customer shows to be handed this fulfillment order: of nobody else's, and kept nowhere. */
  pickupCode(fulfillmentOrderId: string): string {
    return String(createHmac('sha256', this.#hashKey).update(`pickup\n${fulfillmentOrderId}`).digest().readUIntBE(0, 6) % 100_000_000).padStart(8, '0');
  }

  /** The code of a coupon: sixteen characters that nobody can guess without the key, kept nowhere. */
  couponCode(couponId: string): string {
    const bits = createHmac('sha256', this.#hashKey).update(`coupon\n${couponId}`).digest();
    return Array.from({ length: 16 }, (_, i) => COUPON_LETTERS[(bits[i] as number) & 31]).join('');
  }

  /** Secrets of partners, under the master key itself. */
  sealSecret(text: string): Buffer { return seal(this.#master, text); }
  openSecret(sealed: Buffer): string { return open(this.#master, sealed).toString(); }

  sealContact(person: Person, contact: Contact): Buffer { return seal(person.key, JSON.stringify(contact)); }

  /** Under a person's own key: noise once they are erased. */
  sealFor(person: Person, text: string): Buffer { return seal(person.key, text); }

  /**
   * Finds or makes the persons of the given identities (null: an unnamed person, always new), in the given order. In a transaction: until its end nobody
   * can be erased.
   */
  async persons(client: pg.ClientBase, identities: readonly (Buffer | null)[]): Promise<Person[]> {
    if (identities.length === 0) return [];
    await this.#forgetErased(client);
    const wanted = identities.map((hash) => hash?.toString('base64') ?? null);
    const found = new Map<string, Person>();
    const missing: string[] = [];
    for (const name of new Set(wanted)) {
      if (name === null) continue;
      const known = this.#known.get(name);
      if (known) found.set(name, known);
      else missing.push(name);
    }
    const fresh = new Map<string, Person>();
    const anonymous: Person[] = [];
    for (const name of missing.sort()) fresh.set(name, { id: uuidv7(), key: randomBytes(32) });
    for (const name of wanted) if (name === null) anonymous.push({ id: uuidv7(), key: randomBytes(32) });
    if (fresh.size + anonymous.length > 0) {
      const people = [...fresh.values(), ...anonymous];
      const names = [...fresh.keys()];
      await client.query({
        name: 'persons_insert',
        text: `insert into persons (id, identity_hash, wrapped_key)
          select * from unnest($1::uuid[], $2::bytea[], $3::bytea[]) on conflict (identity_hash) do nothing`,
        values: [people.map((p) => p.id), people.map((_, i) => (i < names.length ? Buffer.from(names[i] as string, 'base64') : null)),
          people.map((p) => seal(this.#master, p.key))],
      });
      if (missing.length > 0) {
        const rows = await client.query<{ id: string; identity_hash: Buffer; wrapped_key: Buffer }>({
          name: 'persons_select',
          text: 'select id, identity_hash, wrapped_key from persons where identity_hash = any($1::bytea[]) and erased_at is null',
          values: [missing.map((name) => Buffer.from(name, 'base64'))],
        });
        for (const row of rows.rows) {
          found.set(row.identity_hash.toString('base64'), { id: row.id, key: open(this.#master, row.wrapped_key) });
        }
      }
    }
    return wanted.map((name) => (name === null ? anonymous.shift() : found.get(name)) as Person);
  }

  /** Call after the transaction that made or read them has committed: only then is a cached person a fact. */
  remember(identities: readonly (Buffer | null)[], persons: readonly Person[]): void {
    identities.forEach((hash, i) => {
      const person = persons[i];
      if (!hash || !person || this.#erased.has(person.id)) return;
      if (this.#known.size >= CACHE) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.set(hash.toString('base64'), person);
    });
  }

  /**
   * Forgets who has been erased since this process last asked, by one question a batch, whatever its size: an index probe that finds nothing. Not by
   * NOTIFY: a notification comes after the commit and is lost with its connection, and an order captured meanwhile would belong to somebody erased. The
   * question takes the lock that erasures need alone, so it is exact; a process that captures nothing uses no cached key.
   */
  async #forgetErased(client: pg.ClientBase): Promise<void> {
    const { rows } = await client.query<{ no: number; person_id: string }>({ name: 'erasures_since', text: 'select no, person_id from erasures_since($1)', values: [this.#erasedNo] });
    this.#erasedNo = Math.max(this.#erasedNo ?? 0, rows.at(-1)?.no ?? 0);
    this.forget(rows.map((r) => r.person_id));
  }

  /** Drops the cached keys of persons, for good. */
  forget(personIds: readonly string[]): void {
    if (personIds.length === 0) return;
    for (const id of personIds) this.#erased.add(id);
    for (const [name, person] of this.#known) if (this.#erased.has(person.id)) this.#known.delete(name);
  }

  /** Until the end of the transaction nobody else erases anybody, and no capture is under way that may have read a key. Waits for those that are. */
  async lockErasure(client: pg.ClientBase): Promise<void> { await client.query(`select pg_advisory_xact_lock(hashtext('tributary:erasure'))`); }

  /** Destroys the key and the identity of a person who has not been erased yet, after `lockErasure`. Without the key every record of theirs is noise, in backups too. */
  async erase(client: pg.ClientBase, personId: string, at: Date): Promise<void> {
    await client.query('update persons set wrapped_key = null, identity_hash = null, erased_at = $2 where id = $1', [personId, at]);
    await client.query('insert into erasures (no, person_id) select coalesce(max(no), 0) + 1, $1 from erasures', [personId]);
  }

  /** Reads a contact; null when it or its person has been erased. */
  async readContact(client: pg.ClientBase | pg.Pool, contactId: string): Promise<Contact | null> {
    const { rows } = await client.query<{ ciphertext: Buffer | null; wrapped_key: Buffer | null }>({
      name: 'vault_read',
      text: 'select v.ciphertext, p.wrapped_key from vault_records v join persons p on p.id = v.person_id where v.id = $1',
      values: [contactId],
    });
    const row = rows[0];
    if (!row?.ciphertext || !row.wrapped_key) return null;
    return JSON.parse(open(open(this.#master, row.wrapped_key), row.ciphertext).toString()) as Contact;
  }

  /** Writes another contact for a person (a changed address); the earlier one stays until erased. */
  async writeContact(client: pg.ClientBase, personId: string, contact: Contact): Promise<string> {
    const { rows } = await client.query<{ wrapped_key: Buffer | null }>('select wrapped_key from persons where id = $1', [personId]);
    const wrapped = rows[0]?.wrapped_key;
    if (!wrapped) throw new Error('this person has been erased: nothing can be written for them');
    const id = uuidv7();
    await client.query('insert into vault_records (id, person_id, kind, ciphertext) values ($1, $2, $3, $4)',
      [id, personId, 'contact', seal(open(this.#master, wrapped), JSON.stringify(contact))]);
    return id;
  }

  /** Keeps a document of a person's (a label) under their key; null when they have been erased. */
  async writeDocument(client: pg.ClientBase, personId: string, kind: string, bytes: Buffer): Promise<string | null> {
    const { rows } = await client.query<{ wrapped_key: Buffer | null }>('select wrapped_key from persons where id = $1', [personId]);
    const wrapped = rows[0]?.wrapped_key;
    if (!wrapped) return null;
    const id = uuidv7();
    await client.query('insert into vault_records (id, person_id, kind, ciphertext) values ($1, $2, $3, $4)', [id, personId, kind, seal(open(this.#master, wrapped), bytes)]);
    return id;
  }

  /** The bytes of a document; null when it or its person has been erased. */
  async readDocument(client: pg.ClientBase | pg.Pool, id: string): Promise<Buffer | null> {
    const { rows: [row] } = await client.query<{ ciphertext: Buffer | null; wrapped_key: Buffer | null }>({
      name: 'vault_document', text: 'select v.ciphertext, p.wrapped_key from vault_records v join persons p on p.id = v.person_id where v.id = $1', values: [id],
    });
    return row?.ciphertext && row.wrapped_key ? open(open(this.#master, row.wrapped_key), row.ciphertext) : null;
  }
}
