import { PartnerRefused, PartnerUnavailable } from '../domain/http-port.ts';
import type { Account, Balance, CarrierCapabilities, CarrierConnector, SettingsSchema, WaybillRequest } from './carrier.ts';
import { bag, text, textMap, type Bag } from './read.ts';

/** One question to a platform's waybill service. */
export type Question = { method: string; params: Bag };
/** What differs from platform to platform: how it is called, and the names in its questions and answers. Throws as connectors do. */
export type WaybillDialect = {
  call(question: Question): Promise<Bag>;
  /** What must be asked for before a number, costs nothing, and names it from then on: it is kept first, so that a number whose answer is lost is the same one when it is asked for again. */
  prepare?: { ask(request: WaybillRequest, carrier: string): Question; read(answer: Bag): string | null };
  /** A number; `given` reads the answer. `print`: what to ask for its print data, where the number comes without. `prepared`: what `prepare` gave. */
  get(request: WaybillRequest, carrier: string, prepared: string | null): Question;
  given(answer: Bag, requestId: string): { waybillNo: string | null; printData: unknown; refused: string | null };
  print?(waybillNo: string, carrier: string, prepared: string | null): Question;
  printed?(answer: Bag, waybillNo: string): unknown;
  /** `waybillNo` is null only where there is a `prepare`. */
  cancel(waybillNo: string | null, carrier: string, prepared: string | null): Question;
  balance(carrier: string): Question;
  left(answer: Bag): { branch: string; left: number | null }[];
};

/** Signatures and envelopes are the platform's (H); how sure names of methods and fields are stands in docs/carriers.md: methods are settings. */
export const platformCapabilities: CarrierCapabilities = {
  waybills: 'platform', push: 'none', signedTime: false, subscribes: false, polls: false, label: 'print_data', cancel: true, intercept: false, sealedAddress: true, cashOnDelivery: false, balance: true, token: 'shop',
};

/** Settings that every platform's waybill service has. */
export function platformSettings(more: SettingsSchema, methods: Readonly<Record<string, string>>): SettingsSchema {
  return {
    required: [...more.required, 'channel', 'carriers', 'sender', 'template'],
    properties: {
      ...more.properties,
      channel: { type: 'string', description: 'the shop whose orders get their numbers here; its access token is used, and renewed by its own synchronisation', minLength: 1, maxLength: 64 },
      carriers: { type: 'object', description: 'whose numbers it gives: {our carrier: the platform\'s code}', minProperties: 1, additionalProperties: { type: 'string' } },
      sender: {
        type: 'object', description: 'who sends, as subscribed there: {name, phone, province, city, district, street}', required: ['name', 'phone', 'province', 'city', 'street'], additionalProperties: false,
        properties: Object.fromEntries(['name', 'phone', 'province', 'city', 'district', 'street'].map((name) => [name, { type: 'string', maxLength: 200 }])),
      },
      template: { type: 'string', description: 'template of the print component', maxLength: 500 },
      methods: { type: 'object', description: `names of methods where the defaults are wrong: {${Object.keys(methods).join(', ')}}`, additionalProperties: { type: 'string' }, default: methods },
      timeoutMs: { type: 'integer', description: 'patience, ms', minimum: 100, maximum: 60_000 },
    },
  };
}

/** A platform's waybill service: what it sealed goes through as it is, what it gives for its print component is kept unread. */
export function platformWaybills(account: Account, dialect: WaybillDialect): CarrierConnector {
  const carriers = textMap(account.settings['carriers']);
  const theirs = (carrier: string | undefined): string => {
    const code = carrier === undefined ? undefined : carriers[carrier];
    if (code === undefined) throw new PartnerRefused(0, `"${carrier ?? ''}" is not in the setting carriers of ${account.code}`);
    return code;
  };
  const json = (printData: unknown): Buffer => Buffer.from(typeof printData === 'string' ? printData : JSON.stringify(printData), 'utf8');
  return {
    async createWaybill(request, draft) {
      const carrier = theirs(request.carrier);
      let prepared = draft.kept;
      if (dialect.prepare && prepared === null) {
        const own = dialect.prepare.read(await dialect.call(dialect.prepare.ask(request, carrier)));
        if (own === null) throw new PartnerUnavailable(`${account.code} has prepared no waybill`);
        prepared = await draft.keep(own);
      }
      const { waybillNo, printData, refused } = dialect.given(await dialect.call(dialect.get(request, carrier, prepared)), request.requestId);
      if (refused !== null) throw new PartnerRefused(422, `${account.code} gives no waybill: ${refused}`);
      if (waybillNo === null) throw new PartnerUnavailable(`${account.code} has not given a waybill`);
      return { waybillNo, ...(printData === undefined || printData === null ? {} : { label: { type: 'application/json' as const, bytes: json(printData) } }) };
    },
    ...(dialect.print === undefined ? {} : {
      async label({ waybillNo, carrier, draft }) {
        const question = dialect.print?.(waybillNo, theirs(carrier), draft);
        const printData = question && dialect.printed?.(await dialect.call(question), waybillNo);
        if (printData === undefined || printData === null) throw new PartnerUnavailable(`${account.code} has no print data yet`);
        return { type: 'application/json' as const, bytes: json(printData) };
      },
    }),
    async cancelWaybill({ waybillNo, carrier, draft }) {
      if (dialect.prepare && draft === null) return 'cancelled'; // none was asked for
      if (waybillNo === null && !dialect.prepare) throw new PartnerRefused(0, `${account.code} takes back a waybill by its number only, and none was received`);
      try {
        await dialect.call(dialect.cancel(waybillNo, theirs(carrier), draft));
        return 'cancelled';
      } catch (error) {
        if (error instanceof PartnerRefused) return 'refused';
        throw error;
      }
    },
    async balance() {
      const all: Balance[] = [];
      for (const [carrier, code] of Object.entries(carriers)) all.push(...dialect.left(await dialect.call(dialect.balance(code))).map((b) => ({ carrier, ...b })));
      return all;
    },
  };
}

/** A sender as set, by the names that a platform uses. */
export const senderOf = (settings: Account['settings']): Readonly<Record<'name' | 'phone' | 'province' | 'city' | 'district' | 'street', string>> => {
  const s = bag(settings['sender']);
  const of = (name: string): string => text(s[name]) ?? '';
  return { name: of('name'), phone: of('phone'), province: of('province'), city: of('city'), district: of('district'), street: of('street') };
};
