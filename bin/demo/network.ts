/** The demo brand: 2 online warehouses, 12 shops in 6 cities, 3 dealers, 1 third-party warehouse, 200 SKUs. All invented. */
export const CITIES = [
  { city: '上海', province: '上海', lat: 31.23, lon: 121.47 }, { city: '北京', province: '北京', lat: 39.9, lon: 116.4 }, { city: '广州', province: '广东', lat: 23.13, lon: 113.26 },
  { city: '深圳', province: '广东', lat: 22.54, lon: 114.06 }, { city: '成都', province: '四川', lat: 30.57, lon: 104.07 }, { city: '武汉', province: '湖北', lat: 30.59, lon: 114.31 },
] as const;
export type City = (typeof CITIES)[number];

export type DemoLocation = { code: string; name: string; kind: 'warehouse' | 'store' | 'dealer' | 'third_party'; city: City };

const at = (i: number): City => CITIES[i % CITIES.length] as City;
export const LOCATIONS: readonly DemoLocation[] = [
  { code: 'WH-SH', name: '上海线上仓', kind: 'warehouse', city: at(0) },
  { code: 'WH-GZ', name: '广州线上仓', kind: 'warehouse', city: at(2) },
  ...Array.from({ length: 12 }, (_, i): DemoLocation => ({ code: `SHOP-${String(i + 1).padStart(2, '0')}`, name: `${at(i).city}${i < 6 ? '旗舰' : '社区'}店`, kind: 'store', city: at(i) })),
  ...Array.from({ length: 3 }, (_, i): DemoLocation => ({ code: `DEALER-${i + 1}`, name: `${at(i + 3).city}经销商`, kind: 'dealer', city: at(i + 3) })),
  { code: '3PL-WH', name: '武汉第三方仓', kind: 'third_party', city: at(5) },
];

export const CHANNELS = [
  { code: 'own', name: '品牌官网', platform: 'own', intakeMode: 'strict', paymentWindowS: 1_800 },
  { code: 'pos', name: '门店 POS', platform: 'pos', intakeMode: 'accept', paymentWindowS: 1_800 },
  { code: 'douyin', name: '抖音旗舰店', platform: 'douyin', intakeMode: 'accept', paymentWindowS: 1_800 },
  { code: 'kuaishou', name: '快手小店', platform: 'kuaishou', intakeMode: 'accept', paymentWindowS: 1_800 },
  { code: 'shopify', name: 'Shopify 商店', platform: 'shopify', intakeMode: 'accept', paymentWindowS: 60 },
] as const;
/** Channels whose buyers order on the platform itself, each a server of its own; the others' orders come by our API. */
export const PLATFORMS = ['douyin', 'kuaishou', 'shopify'] as const;
export type PlatformName = (typeof PLATFORMS)[number];
export const platformOf = (channel: string): PlatformName | undefined => PLATFORMS.find((name) => name === channel);

const KINDS = ['羽绒服', '连衣裙', '牛仔裤', '针织衫', '运动鞋', '双肩包', '床品套件', '保温杯', '香薰', '台灯'] as const;
export const SKUS = Array.from({ length: 200 }, (_, i) => ({
  code: `SKU-${String(i + 1).padStart(3, '0')}`, name: `${KINDS[i % KINDS.length] as string} ${String.fromCharCode(65 + (i % 20))}${Math.floor(i / 20) + 1}`, category: KINDS[i % KINDS.length] as string,
  weightG: 200 + (i % 9) * 150, cost: 2_000 + (i % 17) * 500,
}));
/** Price in fen. */
export const priceOf = (sku: number): number => 9_900 + (sku % 17) * 2_000;

/** Sold out online, sleeping in the shops. */
export const isShopOnly = (sku: number): boolean => sku % 10 === 3;
/** In no shop and at no dealer. */
export const isOnlineOnly = (sku: number): boolean => sku % 10 === 6;

/** Uneven stock, as it is: a tenth of the range only in shops, a tenth only online, of the rest each shop has its own third. Deterministic. */
export function stockOf(location: DemoLocation, sku: number): number {
  const n = (sku * 7 + location.code.length * 13 + [...location.code].reduce((sum, c) => sum + c.charCodeAt(0), 0)) % 100;
  if (location.kind === 'store' ? isOnlineOnly(sku) : isShopOnly(sku)) return 0;
  switch (location.kind) {
    case 'warehouse': return 40 + n;
    case 'third_party': return n % 30;
    case 'store': return isShopOnly(sku) ? 10 + (n % 20) : n % 3 === 0 ? 2 + (n % 8) : 0;
    case 'dealer': return !isOnlineOnly(sku) && n % 4 === 0 ? 5 + (n % 10) : 0;
  }
}
