import { expect, test } from 'vitest';
import { canonicalNames, chineseProvince, foldedCity, foldedProvince } from '../../../domain/address/china.ts';
import { zone } from '../../../domain/geo.ts';

test.each([
  ['浙江', '浙江'], ['浙江省', '浙江'], [' Zhejiang ', '浙江'], ['Zhejiang Province', '浙江'], ['北京市', '北京'], ['Beijing', '北京'], ['内蒙古自治区', '内蒙古'], ['Inner  Mongolia', '内蒙古'], ['广西壮族自治区', '广西'],
  ['宁夏回族自治区', '宁夏'], ['新疆维吾尔自治区', '新疆'], ['香港特别行政区', '香港'], ['Shaanxi', '陕西'], ['Shanxi', '山西'], ['Tibet', '西藏'], ['火星省', null], ['', null], ['省', null], ['Zhejiangg', null],
])('province %s is %s', (name, short) => { expect(chineseProvince(name)).toBe(short); });

test('cities by their name without its kind; a name that would be one character stays', () => {
  expect(['杭州市', '杭州', 'Hangzhou City', '延边朝鲜族自治州', '沙市', '吴忠市'].map(foldedCity)).toEqual(['杭州', '杭州', 'hangzhou', '延边朝鲜族', '沙市', '吴忠']);
  expect([foldedProvince('US', 'Ohio'), foldedProvince('CN', '火星省')]).toEqual(['ohio', '火星省']);
});

test('kept under one name where it is written in Chinese and known', () => {
  expect([['CN', '浙江省', '杭州市'], ['CN', '上海市', '上海市'], ['CN', 'Shanghai', 'Shanghai'], ['CN', '火星省', '火星市'], ['JP', '京都府', '京都市'], ['CN', '云南', 'Dali']].map(([c, p, city]) => canonicalNames(c!, p!, city!)))
    .toEqual([{ province: '浙江', city: '杭州' }, { province: '上海', city: '上海' }, { province: 'Shanghai', city: 'Shanghai' }, { province: '火星省', city: '火星市' }, { province: '京都府', city: '京都市' }, { province: '云南', city: 'Dali' }]);
});

test('one place under its several names is one zone', () => {
  const at = (province: string, city: string) => ({ country: 'CN', province, city, lat: null, lon: null });
  expect([zone(at('浙江', '杭州'), at('浙江省', '杭州市')), zone(at('Zhejiang', '宁波'), at('浙江省', '杭州市')), zone(at('江苏', '苏州'), at('浙江省', '杭州市'))]).toEqual(['same_city', 'same_province', 'national']);
});
