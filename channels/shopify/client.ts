import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { ChannelIo, Shop } from '../channel.ts';
import { bag, list, parseSafe, text, type Bag } from '../safe-json.ts';
import type { ShopifySettings } from './settings.ts';

/** What a mutation says is wrong with its input. `code` may be empty. */
export type UserError = { code: string; field: string; message: string };

export const gid = (kind: string, id: string): string => `gid://shopify/${kind}/${id}`;
/** The last part of a global id. */
export const tail = (id: unknown): string | null => text(id)?.replace(/^.*\//, '') ?? null;

/** The Admin API by GraphQL: errors come with HTTP 200 and are read from the body; a throttled call waits for the points it needs. */
export class ShopifyClient {
  readonly #shop: Shop;
  readonly #io: ChannelIo;
  readonly #url: string;

  constructor(shop: Shop, io: ChannelIo) {
    const s = shop.settings as unknown as ShopifySettings;
    this.#shop = shop;
    this.#io = io;
    this.#url = `${s.baseUrl ?? `https://${s.shopDomain}`}/admin/api/${s.apiVersion}/graphql.json`;
  }

  /** `query` names its operation. Throws PartnerThrottled, PartnerUnavailable, PartnerRefused. */
  async call(query: string, variables: Bag): Promise<Bag> {
    const operationName = /(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '';
    const answer = await this.#io.call({
      family: 'graphql', method: 'POST', url: this.#url, headers: { 'content-type': 'application/json', accept: 'application/json', 'x-shopify-access-token': this.#shop.secrets['accessToken'] ?? '' },
      body: JSON.stringify({ operationName, query, variables }),
    });
    if (answer.status >= 400) throw new PartnerRefused(answer.status, `${operationName}: Shopify answered ${answer.status}: ${answer.text.slice(0, 200)}`);
    const body = bag(parseSafe(answer.text));
    const errors = list(body['errors']).map(bag);
    if (errors.length > 0) {
      const code = text(bag(errors[0]?.['extensions'])['code']) ?? '';
      if (code === 'THROTTLED') throw this.#io.throttled('graphql', wait(bag(bag(body['extensions'])['cost'])));
      const message = `${operationName}: ${text(errors[0]?.['message']) ?? code}`;
      throw code === 'INTERNAL_SERVER_ERROR' || code === 'TIMEOUT' ? new PartnerUnavailable(message) : new PartnerRefused(200, message);
    }
    return bag(body['data']);
  }

  /** A mutation with one field; what it says is wrong comes beside its result. */
  async mutate(query: string, variables: Bag): Promise<{ result: Bag; errors: UserError[] }> {
    const data = await this.call(query, variables);
    const result = bag(Object.values(data)[0]);
    const errors = [...list(result['userErrors']), ...list(result['orderCancelUserErrors'])].map(bag);
    return { result, errors: errors.map((e) => ({ code: text(e['code']) ?? '', field: list(e['field']).join('.'), message: text(e['message']) ?? '' })) };
  }
}

/** Until the bucket holds what the call costs, ms. */
function wait(cost: Bag): number {
  const status = bag(cost['throttleStatus']);
  const [needs, has, rate] = [Number(cost['requestedQueryCost']), Number(status['currentlyAvailable']), Number(status['restoreRate'])];
  return needs > has && rate > 0 ? Math.ceil(((needs - has) / rate) * 1000) : 1_000;
}
