/** Daily demand of the pairs, `[pair][day]`; the simulated days are `from` … `to` − 1. */
export type Ground = { demand: readonly ArrayLike<number>[]; from: number; to: number; lead: number };
export type Outcome = { /** units sold ÷ units asked for */ fill: number; /** mean units on hand of a pair at the end of a day */ stock: number };

/**
 * Lost sales, reviewed each morning after what was due has come in: an order raises stock and what is under way to the level of the day and comes in `lead`
 * mornings later. Pairs begin with the level of their first day on hand. `levels(pair, day)` may use days before `day` only.
 */
export function simulate({ demand, from, to, lead }: Ground, levels: (pair: number, day: number) => number): Outcome {
  let [asked, sold, held] = [0, 0, 0];
  demand.forEach((days, pair) => {
    const due = new Float64Array(to - from + lead);
    let onHand = Math.max(0, Math.round(levels(pair, from)));
    let underWay = 0;
    for (let day = from; day < to; day++) {
      const arrived = due[day - from]!;
      onHand += arrived;
      underWay -= arrived;
      const order = Math.max(0, Math.round(levels(pair, day)) - onHand - underWay);
      due[day - from + lead] = order;
      underWay += order;
      const want = days[day]!;
      const got = Math.min(want, onHand);
      onHand -= got;
      asked += want;
      sold += got;
      held += onHand;
    }
  });
  return { fill: sold / asked, stock: held / ((to - from) * demand.length) };
}

/** Stock at a fill rate, between the two nearest points of a curve; NaN where the curve does not reach it. */
export function stockAt(curve: readonly Outcome[], fill: number): number {
  const points = [...curve].sort((a, b) => a.fill - b.fill || a.stock - b.stock);
  const above = points.findIndex((p) => p.fill >= fill);
  if (above <= 0) return above === 0 && points[0]!.fill === fill ? points[0]!.stock : Number.NaN;
  const [low, high] = [points[above - 1]!, points[above]!];
  return low.stock + ((fill - low.fill) / (high.fill - low.fill)) * (high.stock - low.stock);
}
