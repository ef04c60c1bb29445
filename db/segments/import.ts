import type { BadMember, Member } from '../../domain/segment/member.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { writeConsents, type ConsentInput } from '../messages/consents.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Contact, Vault } from '../vault.ts';

/** `known`: were members before, now with what this list says. `problems`: the first lines that could not be used. */
export type SegmentImport = { segment: string; lines: number; added: number; known: number; bad: number; problems: BadMember[] };

const BATCH = 500;
const PROBLEMS = 100;

/**
 * Members of a segment from a list of any length. Every batch is a transaction; lines that cannot be used are counted, the first 100 with their reason, and the others go on. The same list again adds
 * nobody. Who they are is sealed in the vault.
 */
export async function importMembers(writer: StockWriter, vault: Vault, segment: string, rows: AsyncIterable<Member | BadMember>): Promise<SegmentImport> {
  const answer: SegmentImport = { segment, lines: 0, added: 0, known: 0, bad: 0, problems: [] };
  let batch: Member[] = [];
  const flush = async (): Promise<void> => {
    const members = batch;
    batch = [];
    const added = await writer.change((tx) => write(tx, vault, segment, members));
    answer.added += added;
    answer.known += members.length - added;
  };
  for await (const row of rows) {
    answer.lines++;
    if ('reason' in row) {
      answer.bad++;
      if (answer.problems.length < PROBLEMS) answer.problems.push(row);
    } else if (batch.push(row) >= BATCH) await flush();
  }
  await flush();
  return answer;
}

/** The same identity as an order's: whoever buys with that phone or e-mail is that member. */
const identityOf = (vault: Vault, m: Member): Buffer => vault.hash('buyer', m.phone ?? m.email ?? `wecom|${m.wecom ?? ''}`);
const contactOf = (m: Member): Contact => ({
  buyer: { ...(m.id === null ? {} : { id: m.id }), ...(m.name === null ? {} : { name: m.name }), ...(m.phone === null ? {} : { phone: m.phone }), ...(m.email === null ? {} : { email: m.email }), ...(m.wecom === null ? {} : { wecomId: m.wecom }) },
  shipTo: { name: m.name ?? '', phone: m.phone ?? '', country: '', province: '', city: '', street: '' }, buyerRemark: null, sellerRemark: null, invoice: null,
});

async function write(tx: Tx, vault: Vault, segment: string, members: readonly Member[]): Promise<number> {
  await tx.query('insert into segments (code, created_at) values ($1, $2) on conflict (code) do nothing', [segment, tx.now]);
  // The later line of a person counts; sorted by identity, so that two imports never wait for each other crosswise.
  const last = new Map(members.map((m) => [identityOf(vault, m).toString('hex'), m]));
  const sorted = [...last].sort(([a], [b]) => (a < b ? -1 : 1));
  const persons = await vault.persons(tx.client, sorted.map(([hash]) => Buffer.from(hash, 'hex')));
  const records = sorted.flatMap(([, member], i) => {
    const person = persons[i];
    return person === undefined ? [] : [{ id: uuidv7(), personId: person.id, sealed: vault.sealContact(person, contactOf(member)) }];
  });
  await tx.query(`insert into vault_records (id, person_id, kind, ciphertext) select i, p, 'contact', c from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as t(i, p, c)`,
    [records.map((r) => r.id), records.map((r) => r.personId), records.map((r) => r.sealed)]);
  const rows = await tx.query<{ fresh: boolean }>(
    `insert into segment_members as m (segment_id, person_id, contact_id, added_at) select s.id, t.p, t.c, $2 from segments s, unnest($3::uuid[], $4::uuid[]) as t(p, c) where s.code = $1
     on conflict (segment_id, person_id) do update set contact_id = excluded.contact_id returning (xmax = 0) fresh`, [segment, tx.now, records.map((r) => r.personId), records.map((r) => r.id)]);
  await writeConsents(tx.client, vault, members.flatMap((m) => consentsOf(m, segment)), tx.now);
  return rows.filter((r) => r.fresh).length;
}

function consentsOf(m: Member, segment: string): ConsentInput[] {
  const { consent } = m;
  if (consent === null) return [];
  const ways = [['sms', m.phone], ['email', m.email], ['wecom', m.wecom]] as const;
  return ways.flatMap(([way, address]) => (address === null ? [] : [{ way, address, purpose: 'marketing' as const, allowed: consent, source: `segment:${segment}` }]));
}
