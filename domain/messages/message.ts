/** How a person is written to: 企业微信, 短信, e-mail. */
export const WAYS = ['wecom', 'sms', 'email'] as const;
export type Way = (typeof WAYS)[number];
/** `service`: about something they bought or asked for; `marketing`: an offer, which needs their consent. */
export const PURPOSES = ['service', 'marketing'] as const;
export type Purpose = (typeof PURPOSES)[number];
export const MESSAGE_STATUSES = ['waiting', 'sent', 'delivered', 'failed', 'skipped'] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** A value of a message, never a personal one. `pickupCode`: the code of that fulfillment order, `couponCode` that of the coupon with this id: they are kept nowhere and filled in when the message is sent. */
export type MessageParam = string | number | { pickupCode: string } | { couponCode: string };
export type MessageParams = Readonly<Record<string, MessageParam>>;

export type Template = { subject: string | null; body: string; providerTemplate: string | null };

/** Fills `{name}` in. `missing`: parameters that the text wants and nobody gave. */
export function fill(text: string, values: Readonly<Record<string, string>>): { text: string; missing: string[] } {
  const missing: string[] = [];
  const filled = text.replaceAll(/\{([A-Za-z][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) missing.push(name);
    return value ?? '';
  });
  return { text: filled, missing };
}

/** Whether an address may be written to. An offer needs a yes; a service message goes until somebody says no. `said`: what the address told us, null: nothing. */
export function mayWrite(purpose: Purpose, said: boolean | null): 'yes' | 'no_consent' | 'opted_out' {
  if (said === false) return 'opted_out';
  return purpose === 'service' || said === true ? 'yes' : 'no_consent';
}

const BACK_OFF_S = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400];

/** Seconds until the next try, after `attempts` of them; every try later than the last of the table waits as long as that one. */
export function retryAfterS(attempts: number): number {
  return BACK_OFF_S[Math.min(Math.max(attempts, 1), BACK_OFF_S.length) - 1] as number;
}
