import { chineseProvince, foldedCity, foldedProvince } from './china.ts';

/**
 * What is known of an address. `unknown`: its province is none of China's, or almost one that is on file (`like`) and not it: a slip of the pen. `unlisted`: what is not on file where others of its kind are; it may well be
 * right, but zone, date and distance are a guess.
 */
export type Known = { unknown: boolean; like: string | null; unlisted: 'province' | 'city' | null };

const NO_SLIP = 5;

/** The provinces and cities that are on file: of places and of locations. */
export class AddressBook {
  /** folded name → as it was written, by country */
  readonly #provinces = new Map<string, Map<string, string>>();
  readonly #cities = new Map<string, Set<string>>();

  constructor(onFile: Iterable<{ country: string; province: string; city: string }>) {
    for (const { country, province, city } of onFile) {
      const folded = foldedProvince(country, province);
      const provinces = this.#provinces.get(country) ?? new Map<string, string>();
      this.#provinces.set(country, provinces.set(folded, provinces.get(folded) ?? province));
      const key = `${country}|${folded}`;
      this.#cities.set(key, (this.#cities.get(key) ?? new Set<string>()).add(foldedCity(city)));
    }
  }

  look(country: string, province: string, city: string): Known {
    const folded = foldedProvince(country, province);
    const provinces = this.#provinces.get(country);
    if (!provinces?.has(folded) && (country !== 'CN' || chineseProvince(province) === null)) {
      const like = [...provinces ?? []].find(([name]) => [...folded].length >= NO_SLIP && oneSlip(folded, name))?.[1] ?? null;
      const unknown = country === 'CN' || like !== null;
      return { unknown, like, unlisted: !unknown && provinces !== undefined ? 'province' : null };
    }
    const cities = this.#cities.get(`${country}|${folded}`);
    return { unknown: false, like: null, unlisted: cities !== undefined && !cities.has(foldedCity(city)) ? 'city' : null };
  }
}

/** Whether two different names are one letter apart: one too many, one missing, one wrong, or two that changed places. */
export function oneSlip(a: string, b: string): boolean {
  const [short, long] = [...a].length <= [...b].length ? [[...a], [...b]] : [[...b], [...a]];
  if (a === b || long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  const rest = (from: readonly string[], n: number): string => from.slice(n).join('');
  if (long.length > short.length) return rest(short, at) === rest(long, at + 1);
  return rest(short, at + 1) === rest(long, at + 1) || (short[at] === long[at + 1] && short[at + 1] === long[at] && rest(short, at + 2) === rest(long, at + 2));
}
