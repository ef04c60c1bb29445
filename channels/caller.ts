import { PartnerRefused, PartnerUnavailable } from '../domain/http-port.ts';
import type { CallAnswer, ChannelIo, Shop, Token } from './channel.ts';
import { bag, parseSafe, type Bag } from './safe-json.ts';

/** A refusal with the platform's own word or number for it. */
export class PlatformError extends PartnerRefused {
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(status, `${message} (${code})`);
    this.code = code;
  }
}

/** What a try gives whose access token was refused. */
export const TOKEN_REFUSED = Symbol('token refused');

/** Tries with the token at hand, and once more with a fresh one where that was refused. `remedy`: what to do when the fresh one is refused, too. Throws PartnerRefused then. */
export async function withToken<T>(io: Pick<ChannelIo, 'token'>, attempt: (token: string) => Promise<T | typeof TOKEN_REFUSED>, remedy = 'authorise the shop anew'): Promise<T> {
  for (const fresh of [false, true]) {
    const answer = await attempt(await io.token(fresh));
    if (answer !== TOKEN_REFUSED) return answer;
  }
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
