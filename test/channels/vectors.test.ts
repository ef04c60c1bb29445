import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { receive as receiveDouyin } from '../../channels/douyin/push.ts';
import { signCall, signPush, sortedJson } from '../../channels/douyin/sign.ts';
import { standardWebhook } from '../../channels/generic/signature.ts';
import { receive as receiveShopify, signBody } from '../../channels/shopify/push.ts';
import { receive as receiveWoo } from '../../channels/woocommerce/push.ts';
import { callSignature, eventSignature } from '../../simulators/douyin/signing.ts';

const push = (headers: Record<string, string>, body: string, now = 0) => ({ method: 'POST', query: new URLSearchParams(), headers, body: Buffer.from(body), now });

test('PUBLISHED: Shopify, the signature over the raw body, its space included', () => {
  const hmac = 'B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=';
  expect(signBody('test_secret_key', Buffer.from('{"foo": "bar"}'))).toBe(hmac);
  expect(receiveShopify(push({ 'x-shopify-hmac-sha256': hmac }, '{"foo": "bar"}'), 'test_secret_key').kind).toBe('probe');
  expect(receiveShopify(push({ 'shopify-hmac-sha256': hmac }, '{"foo": "bar"}'), 'test_secret_key').kind).toBe('probe');
  expect(receiveShopify(push({ 'x-shopify-hmac-sha256': hmac }, '{"foo":"bar"}'), 'test_secret_key')).toMatchObject({ kind: 'rejected', reason: 'signature' });
});

test('PUBLISHED: WooCommerce signs as Shopify does', () => {
  const hmac = 'B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=';
  expect(receiveWoo(push({ 'x-wc-webhook-signature': hmac }, '{"foo": "bar"}'), 'test_secret_key').kind).toBe('probe');
  expect(receiveWoo(push({ 'x-wc-webhook-signature': hmac }, '{"foo":"bar"}'), 'test_secret_key')).toMatchObject({ kind: 'rejected', reason: 'signature' });
});

test('PUBLISHED: Standard Webhooks, to the second of its window', () => {
  const headers = { 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' };
  const verdict = (now: number, more: Record<string, string> = {}) => standardWebhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', push({ ...headers, ...more }, '{"test": 2432232314}', now));
  expect([verdict(1_614_265_330_000), verdict(1_614_265_630_000), verdict(1_614_265_631_000), verdict(1_614_265_029_000)]).toEqual(['good', 'good', 'stale', 'stale']);
  // While the secret changes several signatures stand there.
  expect(verdict(1_614_265_330_000, { 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` })).toBe('good');
  expect(verdict(1_614_265_330_000, { 'webhook-id': 'msg_another' })).toBe('signature');
});

test('DERIVED (by node, apart from our code): Standard Webhooks, ed25519; neither kind of key believes the other kind of signature', () => {
  const key = 'whpk_5UgihLt+80XPL3ll/TVPan3GMtLpZYNW6MLucd0YTaM=';
  const signed = 'v1a,1Mpg5kyMdPBuD/HW1ksSC7LRFOUlzWoOkiyQgbZHmSGDv/35NM12vC90ZaFGsgD9IYSA6CzOlMdIUcQ3t3uNBQ==';
  const mac = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  const verdict = (secret: string, signature: string, body = '{"test": 2432232314}', now = 1_614_265_330_000) =>
    standardWebhook(secret, push({ 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': signature }, body, now));
  expect([verdict(key, signed), verdict(key, `${mac} v1a,AAAA ${signed}`), verdict(key, signed, '{"test": 2432232314}', 1_614_265_631_000)]).toEqual(['good', 'good', 'stale']);
  expect([verdict(key, signed, '{"test":2432232314}'), verdict(key, `v1,${signed.slice(4)}`), verdict(key, mac), verdict('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', signed), verdict(key, 'v1a,')]).toEqual(Array(5).fill('signature'));
  // Whoever knows the public key must not be able to sign with it.
  const hmac = createHmac('sha256', Buffer.from(key.slice(5), 'base64')).update('msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}').digest('base64');
  expect([verdict(key, `v1,${hmac}`), verdict(key, `v1a,${hmac}`)]).toEqual(['signature', 'signature']);
});

test('DERIVED: Douyin, calls by HMAC and MD5, and a push', () => {
  const [secret, appKey, timestamp] = ['test-secret', '3409409348479354011', '2020-09-15 14:48:13'];
  const paramJson = sortedJson({ size: 10, page: 0 });
  for (const [how, sign] of [['hmac-sha256', '4a6409259f553d360817a96d8beab9f5506972013f9cfcee0059f11ede400a51'], ['md5', 'a7f1b20b5a9ff84eec3e336556fce610']] as const) {
    expect(signCall(secret, how, { appKey, method: 'order.searchList', paramJson, timestamp })).toBe(sign);
    expect(callSignature(secret, how, { appKey, method: 'order.searchList', json: '{"page":0,"size":10}', timestamp })).toBe(sign);
  }
  const body = '[{"tag":"101","msg_id":"1","data":"{\\"p_id\\":4705288465508532862,\\"s_ids\\":[4705288465508532862],\\"shop_id\\":95250}"}]';
  expect([signPush(appKey, Buffer.from(body), secret), eventSignature(appKey, body, secret)]).toEqual(['ebd32ed8f300ef9379095b58be53177f', 'ebd32ed8f300ef9379095b58be53177f']);
  expect(receiveDouyin(push({ 'app-id': appKey, 'event-sign': 'ebd32ed8f300ef9379095b58be53177f' }, body), appKey, secret)).toMatchObject({ kind: 'hints', hints: [{ externalId: '4705288465508532862', topic: '101' }], reply: { body: '{"code":0,"msg":"success"}' } });
});
