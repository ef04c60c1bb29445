import { expect, test } from 'vitest';
import { AddressBook, oneSlip } from '../../../domain/address/known.ts';

const book = new AddressBook([
  { country: 'US', province: 'California', city: 'Los Angeles' }, { country: 'US', province: 'North Carolina', city: 'Raleigh' }, { country: 'US', province: 'Iowa', city: 'Ames' },
  { country: 'CN', province: '浙江', city: '杭州市' },
]);

test.each<[string, [string, string, string], object]>([
  ['on file', ['US', ' california', 'Los Angeles City'], { unknown: false, like: null, unlisted: null }],
  ['a letter is missing', ['US', 'Californa', 'Los Angeles'], { unknown: true, like: 'California', unlisted: null }],
  ['two have changed places', ['US', 'Califronia', 'Los Angeles'], { unknown: true, like: 'California', unlisted: null }],
  ['a state where nobody has been yet', ['US', 'Texas', 'Austin'], { unknown: false, like: null, unlisted: 'province' }],
  ['two names that are alike', ['US', 'South Carolina', 'Columbia'], { unknown: false, like: null, unlisted: 'province' }],
  ['a short name is not said to be another', ['US', 'Iowe', 'Ames'], { unknown: false, like: null, unlisted: 'province' }],
  ['a country of which nothing is on file', ['FR', 'Bretagne', 'Brest'], { unknown: false, like: null, unlisted: null }],
  ['a city that is not on file', ['US', 'California', 'Los Angelos'], { unknown: false, like: null, unlisted: 'city' }],
  ['a city of China that is', ['CN', 'Zhejiang', '杭州'], { unknown: false, like: null, unlisted: null }],
  ['one that is not', ['CN', '浙江省', '杭洲市'], { unknown: false, like: null, unlisted: 'city' }],
  ['a province of China without any city on file', ['CN', '江苏', '南京'], { unknown: false, like: null, unlisted: null }],
  ['none of China', ['CN', '火星省', '火星市'], { unknown: true, like: null, unlisted: null }],
])('%s', (_, [country, province, city], wanted) => { expect(book.look(country, province, city)).toEqual(wanted); });

test.each<[string, string, boolean]>([
  ['abcde', 'abcde', false], ['abcde', 'abcd', true], ['bcde', 'abcde', true], ['abcde', 'abxde', true], ['abcde', 'abdce', true], ['abcde', 'abcdef', true], ['abcde', 'axcye', false], ['abcde', 'acbed', false], ['', 'a', true],
])('%s and %s: %s', (a, b, wanted) => { expect([oneSlip(a, b), oneSlip(b, a)]).toEqual([wanted, wanted]); });
