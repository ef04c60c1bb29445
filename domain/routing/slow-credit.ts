/** What an open slow-mover alert says of a SKU: money expected to be lost by the season's end, minor units; units on hand and coming; days until then. */
export type SlowStock = { moneyAtRisk: number; stock: number; daysLeft: number };

/**
 * What it is worth that a unit of slow stock leaves a location, minor units: the alert's money at risk by unit. Only where the location has more than it would itself sell by the season's
 * end (`perDay` there): a place that sells its own units clears nothing by giving them away. 0: no credit.
 */
export function slowCredit({ moneyAtRisk, stock, daysLeft }: SlowStock, there: { units: number; perDay: number }): number {
  const left = there.units - there.perDay * Math.max(0, daysLeft);
  return stock > 0 && left >= 1 ? Math.floor(moneyAtRisk / stock) : 0;
}
