import { PartnerRefused, PartnerThrottled, PartnerUnavailable, PartnerUnreachable, textField } from '../../domain/http-port.ts';
import { json, THROTTLE_MS, type MessengerAccount, type MessengerIo, type MessengerKind } from '../messenger.ts';

/** The token is no good (any more): get another, once. */
const TOKEN = new Set([40001, 40014, 42001, 41001]);
/** Too many calls (45009 a minute or day, 45033 at once, 41048 to customers): nothing was sent. */
const LATER = new Set([45009, 45033, 41048]);
/** Taken off before it ends, s. */
const MARGIN_S = 300;

/**
 * 企业微信, messages to external contacts (客户): a group message to one of them (`externalcontact/add_msg_template`, `chat_type` single) in the name of the employee who has them as a contact, who confirms it
 * in the app. There is no idempotency key and no way to ask by ours: an unknown outcome ends the message. `get_groupmsg_send_result` tells what became of it: status 1 sent, 2 no contact any more, 3 too many.
 */
export const wecom: MessengerKind = {
  kind: 'wecom', name: 'WeCom (企业微信)', ways: ['wecom'], repeats: 'never',
  settings: {
    required: ['corpId', 'corpSecret', 'sender'],
    properties: {
      corpId: { type: 'string', minLength: 4, description: 'the id of the enterprise' },
      corpSecret: { type: 'string', minLength: 8, secret: true, description: 'the secret of 客户联系' },
      sender: { type: 'string', minLength: 1, description: 'the user id of the employee in whose name messages go' },
      url: { type: 'string', pattern: '^https?://', default: 'https://qyapi.weixin.qq.com', description: 'where the API is' },
    },
  },
  connect(account, io) {
    const tokens = new Tokens(account, io);
    const sender = String(account.settings['sender']);
    return {
      async send({ to, text }) {
        const body = await ask(account, io, tokens, 'add_msg_template', { chat_type: 'single', external_userid: [to], sender, text: { content: text } });
        const failed = body['fail_list'];
        if (Array.isArray(failed) && failed.includes(to)) throw new PartnerRefused(200, 'this contact cannot be written to (fail_list)');
        return { ref: textField(body, 'msgid') };
      },
      async state({ ref, to }) {
        if (ref === null) return { state: 'under_way' };
        const body = await ask(account, io, tokens, 'get_groupmsg_send_result', { msgid: ref, userid: sender, limit: 500 });
        const list = (body['send_list'] ?? []) as { external_userid?: string; status?: number }[];
        const status = list.find((s) => s.external_userid === to)?.status;
        if (status === 2 || status === 3) return { state: 'failed', reason: status === 2 ? 'no contact any more' : 'the contact has had as many as they may get' };
        return { state: status === 1 ? 'delivered' : 'under_way' };
      },
    };
  },
};

/** One access token at a time, asked for by whoever comes first. */
class Tokens {
  readonly #account: MessengerAccount;
  readonly #io: MessengerIo;
  #token: { value: Promise<string>; until: number } | null = null;

  constructor(account: MessengerAccount, io: MessengerIo) {
    this.#account = account;
    this.#io = io;
  }

  get(): Promise<string> {
    if (this.#token && this.#io.now() < this.#token.until) return this.#token.value;
    const token = { value: this.#fetch(), until: this.#io.now() + 60_000 };
    this.#token = token;
    token.value.catch(() => { if (this.#token === token) this.#token = null; });
    return token.value;
  }

  forget(): void { this.#token = null; }

  async #fetch(): Promise<string> {
    const { settings, secrets } = this.#account;
    const url = `${String(settings['url'])}/cgi-bin/gettoken?corpid=${encodeURIComponent(String(settings['corpId']))}&corpsecret=${encodeURIComponent(secrets['corpSecret'] ?? '')}`;
    let text: string;
    try {
      text = (await this.#io.call({ method: 'GET', url })).text;
    } catch (error) {
      // Without a token nothing was sent: it is as if nobody had been reached.
      throw error instanceof PartnerUnavailable ? new PartnerUnreachable(error.message) : error;
    }
    const body = json(text);
    const token = textField(body, 'access_token');
    if (body === null || token === null || token === '') throw new PartnerUnreachable(`no token: errcode ${String(body?.['errcode'] ?? 'missing')}`);
    if (this.#token) this.#token.until = this.#io.now() + (Number(body['expires_in'] ?? 7200) - MARGIN_S) * 1000;
    return token;
  }
}

async function ask({ settings }: MessengerAccount, io: MessengerIo, tokens: Tokens, what: string, question: object): Promise<Record<string, unknown>> {
  for (let attempt = 1; ; attempt++) {
    const token = await tokens.get();
    const { status, text } = await io.call({
      method: 'POST', url: `${String(settings['url'])}/cgi-bin/externalcontact/${what}?access_token=${encodeURIComponent(token)}`, headers: { 'content-type': 'application/json' }, body: JSON.stringify(question),
    });
    const body = json(text);
    const code = body?.['errcode'];
    if (body === null || typeof code !== 'number' || status >= 500) throw new PartnerUnavailable(`status ${status}, no readable answer`);
    if (code === 0) return body;
    if (TOKEN.has(code) && attempt === 1) {
      tokens.forget();
      continue;
    }
    // -1: the system is busy and has done nothing.
    if (code === -1 || LATER.has(code)) throw new PartnerThrottled(`errcode ${code}`, THROTTLE_MS);
    throw new PartnerRefused(200, `errcode ${code}`);
  }
}
