import { expect, test } from 'vitest';
import { encode, signAcs3 } from '../../messengers/aliyun-sms/sign.ts';

test('PUBLISHED: the fixed example of Alibaba Cloud\'s page on signature V3 (RunInstances)', () => {
  const { headers, query } = signAcs3({
    host: 'ecs.cn-shanghai.aliyuncs.com', action: 'RunInstances', version: '2014-05-26', query: { RegionId: 'cn-shanghai', ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd' },
    date: '2023-10-26T10:22:32Z', nonce: '3156853299f313e23d1673dc12e1703d', accessKeyId: 'YourAccessKeyId', accessKeySecret: 'YourAccessKeySecret',
  });
  expect(query).toBe('ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai');
  expect(headers['authorization']).toBe('ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,'
    + 'Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0');
});

test('what a URL must not hold is encoded as RFC 3986 says', () => { expect(encode("a b*'()!~测")).toBe('a%20b%2A%27%28%29%21~%E6%B5%8B'); });
