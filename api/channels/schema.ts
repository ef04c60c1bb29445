import { Type } from '@sinclair/typebox';
import { Code, Nullable, OneOf, Quantity, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Rate = Type.Object({ perSecond: Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }), burst: Type.Integer({ minimum: 1, maximum: 100_000 }) }, closed);

export const ChannelParams = Type.Object({ code: Code });
export const ListingParams = Type.Object({ code: Code, platformSku: Text(200) });

export const ShopBody = Type.Object({
  settings: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { description: 'by the schema of GET /v1/channel-kinds; secret ones are kept sealed and never shown, those left out stay as they were' }),
  limits: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Rate, { description: 'calls per second by method family, where the platform gave this shop others' })),
  since: Type.Optional(Type.Unsafe<string>({ ...Timestamp, description: 'with the first setting: orders changed since then are read, too' })),
  newAddress: Type.Optional(Type.Boolean({ description: 'make a new push address; the old one is deaf at once' })),
}, closed);

export const ShopView = Type.Object({
  channel: Type.String(), platform: Type.String(), settings: Type.Record(Type.String(), Type.Unknown()), secretsSet: Type.Array(Type.String()), limits: Type.Record(Type.String(), Rate),
  pushPath: Nullable(Type.String({ description: 'the address that the platform pushes to, after the public URL of this API; null: nothing is pushed there, its orders come over a connection that a worker holds, from its queue, by the poll or by files' })),
  state: Type.Optional(Type.Unknown({ description: 'what waits, what is held, what was refused, how long the platform takes to know, and how its connection does where it pushes over one' })),
});

const Capabilities = Type.Record(Type.String(), Type.Union([Type.String(), Type.Boolean(), Type.Integer()]));
export const KindsView = Type.Object({
  items: Type.Array(Type.Object({ platform: Type.String(), name: Type.String(), capabilities: Capabilities, settings: Type.Unknown({ description: 'JSON schema of the settings' }), limits: Type.Record(Type.String(), Rate) })),
});

export const Components = Type.Array(Type.Object({ sku: Code, quantity: Quantity }, closed), { minItems: 1, maxItems: 50 });
const mapping = {
  components: Components, version: Type.Optional(Type.Integer({ minimum: 0, description: 'the version you have seen; another one is a conflict' })),
  itemId: Type.Optional(Type.Unsafe<string>({ ...Text(200), description: "the platform's item that the listing belongs to, where its stock calls want it" })),
  priceFloor: Type.Optional(Nullable(Type.Integer({ minimum: 0, maximum: 9_000_000_000_000, description: 'minor units that the shop must at least be paid for one; an order below is held' }))),
};
export const MappingBody = Type.Object(mapping, closed);
export const MappingAnswer = Type.Object({ version: Type.Integer(), released: Type.Integer({ description: 'platform orders that were held for it and are read anew' }) });
export const MappingsBody = Type.Object({
  mappings: Type.Array(Type.Object({ platformSku: Text(200), ...mapping }, closed), { minItems: 1, maxItems: 1000 }),
}, closed);
export const MappingsAnswer = Type.Object({
  results: Type.Array(Type.Object({ platformSku: Type.String(), status: Type.Integer(), version: Type.Optional(Type.Integer()), released: Type.Optional(Type.Integer()), problem: Type.Optional(Type.Unknown()) })),
});

const Mode = OneOf(['on', 'zero', 'stopped'], '`zero`: the platform is told 0; `stopped`: it is told nothing and keeps what it has');
export const PublishBody = Type.Object({
  sku: Type.Optional(Type.Unsafe<string>({ ...Code, description: 'for one SKU; without it for the whole shop' })), mode: Type.Optional(Mode), sharePercent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
  buffer: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })), cap: Type.Optional(Nullable(Type.Integer({ minimum: 0, maximum: 1_000_000_000 }))),
  urgentBelow: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'from so few units down a change goes first' })),
}, closed);
export const SwitchBody = Type.Object({ mode: Mode }, closed);

export const ListingsView = Type.Object({
  items: Type.Array(Type.Object({
    platformSku: Type.String(), itemId: Nullable(Type.String()), merchantCode: Nullable(Type.String()), title: Type.String(), version: Type.Integer({ description: '0: not mapped yet' }),
    suggested: Nullable(Type.String({ description: 'our SKU that its merchant code names' })), priceFloor: Nullable(Type.Integer()), publish: Type.String(), components: Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer() })),
    shown: Nullable(Type.Integer({ description: 'what the platform should show, as far as its sales are known' })), sold: Type.Integer(), refused: Nullable(Type.String()), toldAt: Nullable(Timestamp),
  })),
});
export const HeldView = Type.Object({
  items: Type.Array(Type.Object({
    externalId: Type.String(), reason: Type.String(), detail: Nullable(Type.String()), key: Nullable(Type.String({ description: 'what would release it' })), order: Nullable(Type.String()), since: Timestamp,
  })),
});
export const ReportsView = Type.Object({
  items: Type.Array(Type.Object({
    id: Type.Integer(), order: Type.String(), kind: Type.String(), key: Type.String(), state: OneOf(['waiting', 'done', 'refused']), attempts: Type.Integer(), error: Nullable(Type.String()), createdAt: Timestamp, doneAt: Nullable(Timestamp),
  })),
});
