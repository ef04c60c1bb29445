import type { SeenOrder } from '../domain/channel/seen-order.ts';
import type { DealerDesk } from '../domain/dealer/desk.ts';
import type { PartnerThrottled } from '../domain/http-port.ts';

/** A shop account on a platform: its code, its settings (by the connector's schema) and its secrets. */
export type Shop = { code: string; currency: string; settings: Readonly<Record<string, unknown>>; secrets: Readonly<Record<string, string>> };

/** A push as it came over the wire. `body`: the raw bytes, before any parsing; header names in lower case; `now`: ms since epoch. */
export type Push = { method: string; query: URLSearchParams; headers: Readonly<Record<string, string | undefined>>; body: Buffer; now: number };
/** An answer in the platform's exact form. */
export type Reply = { status: number; contentType: string; body: string };
export type Subject = 'order' | 'after_sale' | 'stock' | 'product' | 'privacy' | 'other';
/**
 * What a push points at. A push is a hint: the order is read by API. `key` names the fact (event type, business id, version), never the message alone, so that the same fact
 * pushed again, in another message, is known. `version`: ms since epoch or any number of the platform's that grows with each change; null where it tells none.
 */
export type Hint = { subject: Subject; topic: string; externalId: string; key: string; version: number | null };
export type RejectReason = 'signature' | 'stale' | 'malformed' | 'unknown_app';
export type Received =
  | { kind: 'rejected'; reason: RejectReason; reply: Reply }
  | { kind: 'probe'; reply: Reply }
  /** `failed`: what to answer when the hints could not be stored, so that the platform pushes again */
  | { kind: 'hints'; hints: Hint[]; reply: Reply; failed: Reply };

/** A frame of a stream, as it is read. */
export type Frame =
  /** a sign of life; nothing is to be done */
  | { kind: 'idle' }
  /** not believed, not kept and not acknowledged: the platform keeps it */
  | { kind: 'rejected'; reason: RejectReason }
  /** `owner`: whose shop it tells of (`Stream.owner`). `ack`: to be sent once the hints are on the disk; until then the message stays with the platform */
  | { kind: 'hints'; owner: string; hints: Hint[]; ack: string };

/** Messages that a platform pushes over a WebSocket which we open and keep open. Reading is pure; the worker holds the connection, keeps hints and sends what is to be sent. */
export type Stream = {
  /** shops with the same key come over one connection: platforms have one for an app, not for a shop */
  key: string;
  /** this shop's name in the messages */
  owner: string;
  /** Where to connect: signed at `now`, ms since epoch, so made anew for each try. */
  address(now: number): string;
  /** how often our sign of life is sent, and how long the platform may be silent before the connection counts as dead, ms */
  heartbeatMs: number;
  silenceMs: number;
  heartbeat(now: number): string;
  /** Never throws: what cannot be read is rejected. */
  read(frame: string, now: number): Frame;
  /** Asks the platform to send this shop's messages; safe to repeat. */
  permit(): Promise<void>;
};

/** What a platform can do, and so what we do instead where it can't. */
export type Capabilities = {
  /** pushed events, and how they prove themselves; `queue`: they wait at the platform and are taken there (`takeMessages`); `stream`: over a connection that we open, which is its own proof */
  push: 'signed' | 'encrypted' | 'queue' | 'stream' | 'none';
  /** the signature covers a time, so that a copy can be told from a push by its age; elsewhere a copy is a hint like any other, and changes nothing */
  signedTime: boolean;
  /**
   * how stock is told: `keyed` deltas (a repetition under the same key is one effect), `blind` deltas (no key: after a lost answer the stock is read back before anything else),
   * `compare` (set if unchanged), `set` (overwrite: sales that are on their way to us are given back for a moment; keep a buffer), `none`
   */
  stock: 'keyed' | 'blind' | 'compare' | 'set' | 'none';
  /** the platform counts its own sales off the number it shows; false where only our figures move it */
  countsOwnSales: boolean;
  /** when the platform puts units back by itself: never, for an order cancelled before payment, or for any cancelled order */
  restores: 'never' | 'unpaid' | 'cancelled';
  shipment: 'parcels' | 'whole' | 'none';
  /** the buyer's wish for another address: told after the fact, asked of us, or not known there */
  addressChange: 'told' | 'asked' | 'none';
  /** after-sales that we may agree to or refuse by API */
  afterSale: 'decide' | 'told' | 'none';
  /** our own cancellation can be told to the platform */
  cancel: boolean;
  /** orders that the platform's own warehouse ships */
  platformFulfils: boolean;
  /** receiver data comes encrypted and stays so */
  sealedAddress: boolean;
  token: 'none' | 'static' | 'refresh' | 'single_use_refresh';
  /** most SKUs in one stock call */
  stockBatch: number;
  /** false: an order is shown once it is paid; what unpaid ones hold is off its figures only */
  showsUnpaid?: boolean;
  /** `fetchOrder` gives null for what the shop certainly has no more (or never had), and for nothing else: an order of ours is then stopped */
  tellsGone?: boolean;
};

/** One HTTP exchange. `family`: the method family whose rate limit it counts for. */
export type Call = { family: string; method: 'GET' | 'POST' | 'PUT' | 'DELETE'; url: string; headers?: Readonly<Record<string, string>>; body?: string | Buffer };
export type CallAnswer = { status: number; headers: Readonly<Record<string, string>>; text: string; bytes?: Buffer };
/** The network as the composition root gives it: no redirect is followed; throws PartnerUnavailable where no answer came (the outcome is then unknown). Answers of any status are given. */
export type RawHttp = (call: Call, timeoutMs: number) => Promise<CallAnswer>;
/**
 * What a connector may use. `call` waits for the family's limit, follows no redirect, and throws PartnerUnavailable on 5xx, time-out or no connection (the outcome is then unknown).
 * `token` gives a valid access token; `beyond`: the serial of the one that this very call was refused with: another is made, unless somebody else has made one meanwhile.
 * `throttled`: the platform said in its body that it wants fewer calls: notes the pause and gives the error to throw. `desk`: for channels that order by files.
 */
export type ChannelIo = { call(call: Call): Promise<CallAnswer>; token(beyond?: number): Promise<AccessToken>; throttled(family: string, ms: number): PartnerThrottled; now(): number; uuid(): string; desk?: DealerDesk };

/** `serial`: which token of the account it is; grows with each. */
export type AccessToken = { access: string; serial: number };
export type Token = { access: string; refresh: string | null; expiresAt: number; refreshExpiresAt: number | null };
export type ChangedOrder = { externalId: string; version: number | null };

/** A change of what the platform may sell of a listing. `target`: what it should show after; `seen`: what it showed when last read, where it was. `key`: the same for every try. */
export type StockPush = { itemId: string | null; platformSku: string; delta: number; target: number; seen: number | null; key: string };
/** `stale`: the figure had changed meanwhile (`compare`): read it and come again. `refused`: trying again will not help. */
export type StockAnswer = { outcome: 'done' } | { outcome: 'stale' } | { outcome: 'refused'; reason: string };
/**
 * `sellable`: what the platform would still sell; `held`: units of its orders that are not paid yet, already taken off `sellable`; null where it does not say.
 * `loose`: what of `sellable` a change may take off, where that is not all (units locked to a campaign).
 */
export type SeenStock = { platformSku: string; sellable: number; held: number | null; loose?: number };

/** `lines`: the platform's line ids and units. `key`: the same for every try. `shipment`: parcels that left together. `last`: nothing of the order is left to be shipped. */
export type ShipmentReport = { externalId: string; key: string; shipment?: string; carrier: string; waybillNo: string; lines: { lineId: string; quantity: number }[]; shippedAt: number; last: boolean };
/** Another parcel of an order may have been reported before: `parcels` are all of them, this one included. */
export type ShipmentCall = ShipmentReport & { parcels: readonly ShipmentReport[] };

/**
 * Messages as they were taken from the platform's queue. `confirm` is called when their hints are on the disk: what is not confirmed comes again. `more`: others may be waiting.
 */
export type TakenMessages = { hints: Hint[]; confirm(): Promise<void>; more: boolean };

/** A platform as the order stream needs it. One folder each; made per shop. Throws PartnerRefused where trying again will not help, PartnerUnavailable where it will. */
export type ChannelConnector = {
  /** Verifies and reads a push to an address of ours; pure, touches nothing. */
  receive?(push: Push): Received;
  /** The next messages of the platform's queue (`push: 'queue'`). */
  takeMessages?(): Promise<TakenMessages>;
  /** Where the platform pushes over a connection that we open (`push: 'stream'`). */
  stream?: Stream;
  /** Reads an order as it is now; null when the shop has none of that id. `topics`: of the hints that led to it, for what only a push tells. */
  fetchOrder(externalId: string, topics: readonly string[]): Promise<SeenOrder | null>;
  /** The order that an after-sale belongs to, where its push does not say. */
  orderOfAfterSale?(afterSaleId: string): Promise<string | null>;
  /** Orders changed in [from, to), ms since epoch, page after page; `next` null: no more. The driver overlaps windows. */
  changedOrders(window: { from: number; to: number }, page: string | null): Promise<{ orders: ChangedOrder[]; next: string | null }>;
  /** Makes the next token of the last one (null: the first, by what the shop's settings hold). */
  nextToken?(last: Token | null): Promise<Token>;
  readStock?(listings: readonly { itemId: string | null; platformSku: string }[]): Promise<SeenStock[]>;
  pushStock?(pushes: readonly StockPush[]): Promise<StockAnswer[]>;
  reportShipment?(report: ShipmentCall): Promise<void>;
  /** In place of it: all parcels of an order at once, those told before included. */
  reportParcels?(externalId: string, parcels: readonly ShipmentReport[]): Promise<void>;
  /** Our order has been brought to where this one is, or is held. */
  orderTaken?(externalId: string, state: 'open' | 'held' | 'ignored'): Promise<void>;
  answerAddressChange?(externalId: string, approved: boolean, key: string): Promise<void>;
  answerAfterSale?(externalId: string, afterSaleId: string, decision: { approved: boolean; reason: string }, key: string): Promise<void>;
  cancelOrder?(externalId: string, reason: string, key: string): Promise<void>;
};

/** What a connector's folder gives the registry. */
export type ChannelKind = {
  /** the platform's code: `channels.platform` of the shops it serves */
  platform: string;
  name: string;
  /** `one`: the platform knows one currency and never names it; the shop's channel says which */
  currencies: 'one' | 'named';
  capabilities: Capabilities;
  /** JSON schema of a shop's settings; a setting with `secret: true` is kept sealed and never shown */
  settings: SettingsSchema;
  /** calls per second and burst by method family, where a shop's settings don't say otherwise; `*` for any other */
  limits: Readonly<Record<string, { perSecond: number; burst: number }>>;
  /** limits of the app that all its shops share, by method family; `app`: whose it is. They hold within one process. */
  appLimits?: { app(settings: Shop['settings']): string; limits: Readonly<Record<string, { perSecond: number; burst: number }>> };
  /** the window of one listing query, s; how far apart from now its end must stay, s; by how much windows overlap, s; how often it is asked, s */
  backstop: { windowS: number; lagS: number; overlapS: number; everyS: number };
  /** how long an order may stay unpaid, s, where such orders are shown nowhere, not even in the figures (`showsUnpaid`, `SeenStock.held`) */
  unpaidS?: number;
  /** how often an empty queue is looked at, s (`push: 'queue'`) */
  queueEveryS?: number;
  /** how long the platform may take to answer, ms */
  timeoutMs: number;
  /** what becomes of a cancellation once goods have left: nothing, where there is no payment to ask back */
  lateCancel?: 'refuse';
  /** what depends on a shop's settings */
  capable?(settings: Shop['settings']): Partial<Capabilities>;
  connect(shop: Shop, io: ChannelIo): ChannelConnector;
};
/** What a shop of a platform can do: what depends on its settings comes over what the platform says of itself. */
export const capabilitiesOf = (kind: ChannelKind, settings: Shop['settings']): Capabilities => ({ ...kind.capabilities, ...kind.capable?.(settings) });

export type Setting = { type: 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array'; description: string; secret?: boolean; default?: unknown } & Record<string, unknown>;
export type SettingsSchema = { required: readonly string[]; properties: Readonly<Record<string, Setting>> };

export const jsonReply = (status: number, body: unknown): Reply => ({ status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(body) });
export const textReply = (status: number, body: string): Reply => ({ status, contentType: 'text/plain; charset=utf-8', body });
