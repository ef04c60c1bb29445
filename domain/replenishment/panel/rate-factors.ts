/** Where a series stands, as places in the factors: one number a factor. */
export type Places = readonly number[];
/** One observation: the places, the units that the rate alone expects, and those that came. */
export type Observation = { places: Places; expected: number; units: number };

/** Units by which a factor is drawn towards 1. */
const DOUBT = 100;
const ROUNDS = 8;

/**
 * Factors by which the rate of a series is multiplied, one table a kind of circumstance, such that in each place of each table as many units are expected as
 * came: a Poisson log-linear model fitted by iterative proportional scaling (Deming & Stephan 1940, Annals of Mathematical Statistics 11; Bishop, Fienberg &
 * Holland 1975). `sizes`: places of each table.
 */
export function fitFactors(observations: readonly Observation[], sizes: readonly number[]): Float64Array[] {
  const factors = sizes.map((size) => new Float64Array(size).fill(1));
  for (let round = 0; round < ROUNDS; round++) {
    factors.forEach((factor, f) => {
      const [came, expected] = [new Float64Array(factor.length), new Float64Array(factor.length)];
      for (const o of observations) {
        const place = o.places[f] as number;
        came[place] = (came[place] as number) + o.units;
        expected[place] = (expected[place] as number) + o.expected * factorOf(factors, o.places);
      }
      for (let p = 0; p < factor.length; p++) factor[p] = ((factor[p] as number) * ((came[p] as number) + DOUBT)) / ((expected[p] as number) + DOUBT);
    });
  }
  return factors;
}

/** The product of the factors at these places. */
export function factorOf(factors: readonly Float64Array[], places: Places): number {
  let product = 1;
  for (let f = 0; f < factors.length; f++) product *= (factors[f] as Float64Array)[places[f] as number] as number;
  return product;
}

/** The interval of rising `bounds` that a number lies in: 0 … bounds.length. */
export function placeOf(value: number, bounds: readonly number[]): number {
  let place = 0;
  while (place < bounds.length && value > (bounds[place] as number)) place++;
  return place;
}
