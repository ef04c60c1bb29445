import { describe, expect, it } from 'vitest';
import { decodeSecret, sign, verify } from '../../../simulators/shared/signing.ts';

// The example published with Standard Webhooks.
const key = decodeSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const timestamp = '1614265330';
const body = Buffer.from('{"test": 2432232314}');
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const now = 1614265330;

describe('signing', () => {
  it('makes the published signature', () => {
    expect(sign(key, id, timestamp, body)).toBe(signature);
  });

  it('accepts it, also as the second of several', () => {
    expect(verify(key, { id, timestamp, signature }, body, now)).toEqual({ ok: true });
    expect(verify(key, { id, timestamp, signature: `v1,AAAA ${signature}` }, body, now)).toEqual({ ok: true });
  });

  it('takes 300 s either way and not one more', () => {
    const headers = { id, timestamp, signature };
    expect(verify(key, headers, body, now + 300).ok).toBe(true);
    expect(verify(key, headers, body, now - 300).ok).toBe(true);
    expect(verify(key, headers, body, now + 301)).toEqual({ ok: false, reason: 'webhook-timestamp is outside the window' });
    expect(verify(key, headers, body, now - 301)).toEqual({ ok: false, reason: 'webhook-timestamp is outside the window' });
  });

  it.each([
    ['another body', { id, timestamp, signature }, Buffer.from('{"test":2432232314}')],
    ['another id', { id: 'msg_other', timestamp, signature }, body],
    ['another time', { id, timestamp: '1614265331', signature }, body],
    ['another version', { id, timestamp, signature: signature.replace('v1,', 'v2,') }, body],
    ['a shorter signature', { id, timestamp, signature: signature.slice(0, -4) }, body],
  ])('refuses %s', (_what, headers, bytes) => {
    expect(verify(key, headers, bytes, now)).toEqual({ ok: false, reason: 'the signature does not match' });
  });

  it('refuses missing headers and a timestamp that is no number', () => {
    expect(verify(key, { id: undefined, timestamp, signature }, body, now)).toEqual({ ok: false, reason: 'signature headers are missing' });
    expect(verify(key, { id, timestamp: '1e9', signature }, body, now)).toEqual({ ok: false, reason: 'webhook-timestamp is not unix seconds' });
  });

  it('reads only whsec_ secrets of base64', () => {
    expect(() => decodeSecret('MfKQ')).toThrow('starts with whsec_');
    expect(() => decodeSecret('whsec_')).toThrow('is base64');
    expect(() => decodeSecret('whsec_???')).toThrow('is base64');
  });
});
