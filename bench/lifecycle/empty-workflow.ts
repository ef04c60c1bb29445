/** The floor: a workflow that does nothing. */
export async function empty(): Promise<void> { await Promise.resolve(); }
