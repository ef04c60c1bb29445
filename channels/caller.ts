import { PartnerRefused, PartnerUnavailable } from '../domain/http-port.ts';
import type { CallAnswer, ChannelIo, Shop, Token } from './channel.ts';
import { bag, parseSafe, type Bag } from './safe-json.ts';

/** WeChat's numbers for an app that may not: unknown or disabled, a secret or an address that is not on its list, an API that it was not granted. */
const ACCOUNT_CODES: ReadonlySet<string> = new Set(['40013', '40125', '40164', '45035', '48001', '50002', '61004', '61007']);
/** The same in the words of others: sub_code of Taobao and Douyin. Of a single order's permission they say nothing. */
const ACCOUNT_WORDS = /invalid-permission|(api|app|package|isv)[-_.](no[-_])?permissions?\b|permission-(api|app|ip)|white-?list|unauthori[sz]ed|invalid-(app-?key|signature)|appkey-not-exists/i;

/** A refusal with the platform's own word or number for it. `account`: it is the account that is refused (PartnerRefused); without it, what the code says. */
export class PlatformError extends PartnerRefused {
  readonly code: string;
  constructor(status: number, code: string, message: string, account = status === 401 || status === 403 || ACCOUNT_CODES.has(code) || ACCOUNT_WORDS.test(code)) {
    super(status, `${message} (${code})`, account);
    this.code = code;
  }
}

/** Whether the platform refuses this one thing; a refused account says nothing of it. */
export const refusesThis = (error: unknown): error is PlatformError => error instanceof PlatformError && !error.account;

/** What a try gives whose access token was refused. */
export const TOKEN_REFUSED = Symbol('token refused');

/** Tries with the token at hand, and once more with a fresh one where that was refused. `remedy`: what to do when the fresh one is refused, too. Throws PartnerRefused then. */
export async function withToken<T>(io: Pick<ChannelIo, 'token'>, attempt: (token: string) => Promise<T | typeof TOKEN_REFUSED>, remedy = 'authorise the shop anew'): Promise<T> {
  const token = await io.token();
  const first = await attempt(token.access);
  if (first !== TOKEN_REFUSED) return first;
  // Beyond the one that this call was refused with: a neighbour's fresh one must not be made worthless by another.
  const second = await attempt((await io.token(token.serial)).access);
  if (second !== TOKEN_REFUSED) return second;
  throw new PartnerRefused(401, `the platform refuses a fresh access token: ${remedy}`);
}

/** The JSON object that was answered, ids kept exact. Throws PartnerUnavailable for anything else: what stands before the platform has answered, not the platform. */
export function readBag(answer: CallAnswer, what: string): Bag {
  try {
    return bag(parseSafe(answer.text));
  } catch {
    throw new PartnerUnavailable(`${what} answered ${answer.status} and no JSON`);
  }
}

/** Whether one of an answer's words is one of the signs: a number as a whole, words also as a part. */
export const says = (words: readonly string[], signs: readonly string[]): boolean => signs.some((sign) => words.some((w) => w === sign || (!/^-?\d+$/.test(sign) && w.includes(sign))));

/** By what the next token is asked for: the last refresh token, the one to begin with, or the authorisation code. Null: the account holds none of them. */
export function grantOf(last: Token | null, secrets: Shop['secrets']): { by: 'refresh_token' | 'code'; value: string } | null {
  const refresh = last?.refresh ?? secrets['refreshToken'];
  if (refresh !== undefined) return { by: 'refresh_token', value: refresh };
  const code = secrets['code'];
  return code === undefined ? null : { by: 'code', value: code };
}
