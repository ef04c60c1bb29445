/** Runs short steps until one of them finds less to do than it may: so much is done, and locked, at a time. `step` returns how much it did. */
export async function inSteps(most: number, step: (most: number) => Promise<number>): Promise<void> {
  while (await step(most) >= most);
}
