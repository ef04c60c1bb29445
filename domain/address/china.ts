/**
 * The 34 province-level divisions of China (GB/T 2260, ISO 3166-2:CN): short name and the romanised ones in use. Platforms write them with and without their kind (浙江, 浙江省) and
 * in pinyin; all of these are one place.
 */
const PROVINCES: readonly (readonly [string, ...string[]])[] = [
  ['北京', 'beijing'], ['天津', 'tianjin'], ['河北', 'hebei'], ['山西', 'shanxi'], ['内蒙古', 'neimenggu', 'neimongol', 'inner mongolia'], ['辽宁', 'liaoning'], ['吉林', 'jilin'], ['黑龙江', 'heilongjiang'],
  ['上海', 'shanghai'], ['江苏', 'jiangsu'], ['浙江', 'zhejiang'], ['安徽', 'anhui'], ['福建', 'fujian'], ['江西', 'jiangxi'], ['山东', 'shandong'], ['河南', 'henan'], ['湖北', 'hubei'], ['湖南', 'hunan'],
  ['广东', 'guangdong'], ['广西', 'guangxi'], ['海南', 'hainan'], ['重庆', 'chongqing'], ['四川', 'sichuan'], ['贵州', 'guizhou'], ['云南', 'yunnan'], ['西藏', 'xizang', 'tibet'], ['陕西', 'shaanxi'],
  ['甘肃', 'gansu'], ['青海', 'qinghai'], ['宁夏', 'ningxia'], ['新疆', 'xinjiang'], ['台湾', 'taiwan'], ['香港', 'hong kong', 'hongkong', 'xianggang'], ['澳门', 'macau', 'macao', 'aomen'],
];
const SHORT = new Map(PROVINCES.flatMap((names) => names.map((name) => [name, names[0]] as const)));
const PROVINCE_KIND = /(?:壮族自治区|回族自治区|维吾尔自治区|特别行政区|自治区|省|市)$/u;
const CITY_KIND = /(?:自治州|地区|盟|市)$/u;
const LATIN_KIND = /\s+(?:province|municipality|autonomous region|prefecture|city|sheng|shi)$/;

const trimmed = (name: string): string => name.trim().toLowerCase().replace(/\s+/g, ' ').replace(LATIN_KIND, '');
/** Without the word for its kind, but never a name that would be one character then (沙市 stays). */
const without = (name: string, kind: RegExp): string => {
  const short = name.replace(kind, '');
  return [...short].length >= 2 ? short : name;
};

/** Remembers what a name came to: routing asks for the same few hundred names millions of times. Forgets all when there are too many. */
function remembered<T>(of: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) {
      if (known.size > 10_000) known.clear();
      known.set(name, (found = of(name)));
    }
    return found;
  };
}

/** The short Chinese name of a province of China, however it is written; null: there is none of that name. */
export function chineseProvince(name: string): string | null { return SHORT.get(without(trimmed(name), PROVINCE_KIND)) ?? null; }

const HAN = /^\p{Script=Han}+$/u;

/** The names under which orders, figures and lists keep a place of China that is written in Chinese: 浙江省 杭州市 and 浙江 杭州 are 浙江 杭州. Others, and names that are not known, stay as they are. */
export function canonicalNames(country: string, province: string, city: string): { province: string; city: string } {
  const known = country === 'CN' && HAN.test(province) ? chineseProvince(province) : null;
  return known === null ? { province, city } : { province: known, city: HAN.test(city) ? foldedCity(city) : city };
}

/** A name by which a city is compared: 杭州市, 杭州 and " 杭州" are one, so are Hangzhou and "Hangzhou City". */
export const foldedCity = remembered((name: string): string => without(trimmed(name), CITY_KIND));
/** The same for a province: its short name where it is one of China's, else the name in lower case. */
export function foldedProvince(country: string, name: string): string { return country === 'CN' ? foldedChinese(name) : foldedElsewhere(name); }
const foldedChinese = remembered((name: string): string => chineseProvince(name) ?? trimmed(name));
const foldedElsewhere = remembered(trimmed);
