import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dataDigest } from '../../../carriers/cainiao/sign.ts';
import { signCall } from '../../../carriers/douyin-waybill/connector.ts';
import { webhookSignature } from '../../../carriers/easypost/sign.ts';
import { jdlSign } from '../../../carriers/jdl/sign.ts';
import { signForm } from '../../../carriers/kuaishou-waybill/connector.ts';
import { callbackSign, querySign } from '../../../carriers/kuaidi100/sign.ts';
import { javaUrlEncode, msgDigest } from '../../../carriers/sf/sign.ts';
import { webhookSign } from '../../../carriers/track17/sign.ts';
import { digestOf } from '../../../simulators/sf/signing.ts';
import { signCall as signJd } from '../../../carriers/jd-waybill/connector.ts';
import { signForm as signPinduoduo } from '../../../carriers/pinduoduo-waybill/connector.ts';
import { expectedSign as expectedJd } from '../../../simulators/jd-waybill/protocol.ts';
import { expectedSign as expectedPinduoduo } from '../../../simulators/pinduoduo/signing.ts';

test('PUBLISHED: SF msgDigest, by the connector and by the simulator', () => {
  const [data, stamp, word] = ['{"language":"zh-CN","orderId":"QIAO-20200618-004"}', '12312334453453', 'fjcg5PGKaNpPSHFAZ4QsCOkV71R3zVci'];
  expect([msgDigest(data, stamp, word), digestOf(data, stamp, word)]).toEqual(['IIKJtuLVzoFTu4kHI8M8vA==', 'IIKJtuLVzoFTu4kHI8M8vA==']);
});

test('SF: what Java\'s URLEncoder keeps and what it does not', () => {
  expect(javaUrlEncode(`a b~!'()*-_.é中`)).toBe('a+b%7E%21%27%28%29*-_.%C3%A9%E4%B8%AD');
});

test('DERIVED (no vendor vector; no independent evidence): kuaidi100 query and callback', () => {
  expect(querySign('{"com":"shunfeng","num":"SF1234567890123","phone":"0000"}', 'key123', 'cust456')).toBe('342F75A32DFC83668B768210B1CDACDC');
  expect(callbackSign('{"status":"polling","message":"","lastResult":{"nu":"SF1234567890123","com":"shunfeng","state":"0","ischeck":"0","data":[]}}', 'salt789')).toBe('BC3D6F264662BD5C28D545BC841B7B36');
});

/** EasyPost/examples, official/fixtures/event-body.json (MIT), without its last line feed. */
test('PUBLISHED: EasyPost webhook, over the raw bytes', () => {
  const body = Buffer.from(readFileSync(new URL('easypost-event.json', import.meta.url), 'utf8').trimEnd());
  expect([body.length, webhookSignature('sécret', body)]).toEqual([3550, 'hmac-sha256-hex=38f3f53c103713df81616a0a186d77141957323ec21d5fe9363db93840f527db']);
});

test('DERIVED (no vendor vector; no independent evidence): 17TRACK webhook', () => {
  expect(webhookSign(Buffer.from('{"event":"TRACKING_UPDATED","data":{"number":"RR123456789CN"}}'), 'apikey')).toBe('64f31886fa5391e0b0e16e92c6848a447ed59638eb3b59d7f562221054f0d608');
});

test('DERIVED (no vendor vector; no independent evidence): Cainiao LINK and JDL', () => {
  expect(dataDigest('{"a":1}', 'secret')).toBe('nXesKl9asX7M42LfEYoluA==');
  expect(jdlSign('sec', 'md5-salt', { token: 'tok', appKey: 'ak', path: '/ecap/v1/orders/create', body: '[{"orderId":"1"}]', timestamp: '2024-01-01 00:00:00' })).toBe('826529323ca2aca97826c95ca2012b37');
});

test('DERIVED (no vendor vector; no independent evidence): Douyin and Kuaishou calls', () => {
  expect(signCall('test-secret', { appKey: '3409409348479354011', method: 'order.searchList', json: '{"page":0,"size":10}', timestamp: '2020-09-15 14:48:13' })).toBe('4a6409259f553d360817a96d8beab9f5506972013f9cfcee0059f11ede400a51');
  expect(signForm('sign-secret', { access_token: 'token', appkey: 'ks123', method: 'open.seller.order.list', param: '{"title":"短袖"}', signMethod: 'HMAC_SHA256', timestamp: '1583271919000', version: '1' })).toBe('ZpPrG0oB1g/T93FyyVD+VCzRey41yqxZoCqcGg7upYM=');
});

test('PUBLISHED: Pinduoduo, a call', () => {
  const form = { client_id: 'test-client', data_type: 'JSON', logistics_id: '9', order_sn: '240101-1', order_state: '1', timestamp: '1720000000', type: 'pdd.erp.order.sync', version: 'V1', waybill_no: 'SF123', empty: '' };
  expect([signPinduoduo('test-secret', form), expectedPinduoduo(Object.entries(form), 'test-secret')]).toEqual(['CC0F30530BBAC3FD67608391D61E370C', 'CC0F30530BBAC3FD67608391D61E370C']);
});

test('DERIVED (no vendor vector; no independent evidence): a JD call', () => {
  const fields = { '360buy_param_json': '{"order_id":"1"}', access_token: 'tok', app_key: 'ak', format: 'json', method: 'jingdong.pop.order.get', timestamp: '2024-01-01 00:00:00', v: '2.0' };
  expect([signJd('sec', fields), expectedJd(new URLSearchParams({ ...fields, sign: 'left out' }), 'sec')]).toEqual(['06FD36F85C8CAD42FDDFF4E6A6BE8DD9', '06FD36F85C8CAD42FDDFF4E6A6BE8DD9']);
});
