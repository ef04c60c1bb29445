import type { Http, PartnerThrottled } from '../domain/http-port.ts';
import type { TrackingStatus } from '../domain/order/milestone.ts';

/** An account at a carrier, a tracker or a platform's waybill service: its code, its settings (by the kind's schema) and its secrets. */
export type Account = { code: string; settings: Readonly<Record<string, unknown>>; secrets: Readonly<Record<string, string>> };

/**
 * A piece of a parcel's history as it was told. `eventId` names the fact, so that it is the same whether it was pushed, polled or told again. `source`: the teller's own code for `status`.
 * `carrier`: ours, where a tracker tells of parcels of many. `endsReturn`: it was signed for; if the parcel had turned round, it has come back.
 */
export type CarrierEvent = {
  eventId: string; waybillNo: string; status: TrackingStatus; occurredAt: string; source?: string; carrier?: string; description?: string; city?: string; endsReturn?: boolean;
};

/** A push as it came over the wire. `body`: the raw bytes, before any parsing; header names in lower case; `now`: ms since epoch; `ip`: of the sender. */
export type Push = { method: string; query: URLSearchParams; headers: Readonly<Record<string, string | undefined>>; body: Buffer; now: number; ip: string };
/** An answer in the carrier's exact form. */
export type Reply = { status: number; contentType: string; body: string };
export type RejectReason = 'signature' | 'stale' | 'malformed' | 'sender';
/** `failed`: what to answer when the events could not be kept, so that they are sent again. `again`: parcels that the teller has given up and must be announced anew. */
export type Received =
  | { kind: 'rejected'; reason: RejectReason; reply: Reply }
  | { kind: 'probe'; reply: Reply }
  | { kind: 'events'; events: CarrierEvent[]; reply: Reply; failed: Reply; again?: { carrier?: string; waybillNo: string }[] };

export type CarrierCapabilities = {
  /** whose numbers it gives: its own, those of many carriers on a platform (sealed addresses pass through), or none: it only tells */
  waybills: 'own' | 'platform' | 'none';
  /** pushed events, and how they prove themselves; `secret_path`: by nothing but our unguessable address (and the sender's, where settings list them) */
  push: 'signed' | 'secret_path' | 'none';
  /** the signature covers a time, so that a copy can be told from a push by its age; elsewhere a copy is known by its facts, and changes nothing */
  signedTime: boolean;
  /** parcels must be announced before it tells of them */
  subscribes: boolean;
  /** it can be asked about a parcel */
  polls: boolean;
  /** `pdf`: it draws the label; `drawn`: we do; `print_data`: only its own print component can */
  label: 'pdf' | 'drawn' | 'print_data' | 'none';
  cancel: boolean;
  intercept: boolean;
  /** a platform's receivers, whose address nobody here can read, may be given to it */
  sealedAddress: boolean;
  /** it collects cash on delivery; what it does not collect it is not asked to carry */
  cashOnDelivery: boolean;
  /** how many numbers are left can be asked */
  balance: boolean;
  /** `shop`: that of the shop in the setting `channel`, which its own synchronisation renews */
  token: 'none' | 'static' | 'refresh' | 'shop';
};

/** One HTTP exchange. `family`: the method family whose rate limit it counts for. */
export type Call = { family: string; method: 'GET' | 'POST' | 'PUT' | 'DELETE'; url: string; headers?: Readonly<Record<string, string>>; body?: string | Buffer };
export type CallAnswer = { status: number; headers: Readonly<Record<string, string>>; text: string; bytes?: Buffer };
/** `serial`: which token of the account it is; grows with each. */
export type AccessToken = { access: string; serial: number };
export type Token = { access: string; refresh: string | null; expiresAt: number; refreshExpiresAt: number | null };
/**
 * What a connector may use. `call` waits for the family's limit, follows no redirect, and throws PartnerUnavailable on 5xx, 429, time-out or no connection (the outcome is then unknown).
 * `token` gives a valid access token; `beyond`: the serial of the one that this very call was refused with. `throttled`: it said in its body that it wants fewer calls. `signed`: our own protocol (docs/partner-protocol.md).
 */
export type CarrierIo = {
  call(call: Call): Promise<CallAnswer>; token(beyond?: number): Promise<AccessToken>; throttled(family: string, ms: number): PartnerThrottled; now(): number; uuid(): string; signed: Http;
};

export type Address = { name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string };
/** `to.sealed`: what the platform gave encrypted, to be handed on as it is. `order`: the platform's id of the order, where there is one. */
export type WaybillRequest = {
  requestId: string; service: string; carrier?: string; cashOnDelivery?: { amount: number; currency: string }; from: { city: string; province: string } & Partial<Address>;
  to: Address & { sealed?: Readonly<Record<string, string>> }; weightG: number; volumeMm3?: number; order?: string | null;
};
/** A label: PDF, or what a print component takes (`application/json`, opaque to us). */
export type Label = { type: 'application/pdf' | 'application/json'; bytes: Buffer };
export type Issued = { waybillNo: string; label?: Label };
/** What was kept of an earlier try, and how to keep something now, before the step that costs money; `keep` gives what stands: the first that was kept. */
export type Draft = { kept: string | null; keep(text: string): Promise<string> };
/** `waybillNo` null: asked for, and the answer was lost. `draft`: what was kept on the way to it. */
export type WaybillRef = { requestId: string; waybillNo: string | null; carrier: string; draft: string | null };
/** A parcel that is followed. `phoneTail`: last four digits, only where the kind asks for them. */
export type FollowedParcel = { carrier: string; waybillNo: string; phoneTail: string | null };
export type Balance = { carrier: string; branch: string; left: number | null };

/** A carrier, tracker or waybill service as the order flow needs it. Throws PartnerRefused where trying again will not help, PartnerUnavailable where it will. */
export type CarrierConnector = {
  /** Verifies and reads a push; pure, touches nothing. */
  receive?(push: Push): Received;
  /** The same request id gives the same waybill. */
  createWaybill?(request: WaybillRequest, draft: Draft): Promise<Issued>;
  /** Takes a waybill back that was not picked up. One that never came to be counts as cancelled. */
  cancelWaybill?(ref: WaybillRef, reason: string): Promise<'cancelled' | 'refused'>;
  /** The label of a waybill, where `createWaybill` did not give it. */
  label?(ref: WaybillRef & { waybillNo: string }): Promise<Label>;
  subscribe?(parcel: FollowedParcel): Promise<void>;
  /** The whole history of a parcel, for the poll that backs up lost pushes. A waybill that is not known has none. */
  events?(parcel: FollowedParcel): Promise<CarrierEvent[]>;
  /** Asks to turn a parcel round. */
  intercept?(waybillNo: string, requestId: string, reason: string): Promise<{ outcome: 'accepted' | 'refused'; reason: string | null }>;
  nextToken?(last: Token | null): Promise<Token>;
  balance?(): Promise<Balance[]>;
};

export type Setting = { type: 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array'; description: string; secret?: boolean; default?: unknown } & Record<string, unknown>;
export type SettingsSchema = { required: readonly string[]; properties: Readonly<Record<string, Setting>> };

/** What a connector's folder gives the registry. */
export type CarrierKind = {
  kind: string;
  name: string;
  capabilities: CarrierCapabilities;
  /** JSON schema of an account's settings; a setting with `secret: true` is kept sealed and never shown */
  settings: SettingsSchema;
  /** calls per second and burst by method family; `*` for any other */
  limits: Readonly<Record<string, { perSecond: number; burst: number }>>;
  /** how long it may take to answer, ms */
  timeoutMs: number;
  /** the subscription or the poll needs the last digits of the receiver's telephone */
  needsPhoneTail?: boolean;
  /** our carriers that it knows, where it is not one carrier's own */
  covers?(settings: Account['settings']): string[];
  /** what depends on an account's settings */
  capable?(settings: Account['settings']): Partial<CarrierCapabilities>;
  connect(account: Account, io: CarrierIo): CarrierConnector;
};

export const jsonReply = (status: number, body: unknown): Reply => ({ status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(body) });
