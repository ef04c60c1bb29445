/** Runs something again and again, each time `everyMs` after it was through, never twice at once; what it throws is told, and it goes on. Returns how to end it, which waits for the run under way. */
export function repeat(run: () => Promise<void>, everyMs: number, failed: (error: unknown) => void): () => Promise<void> {
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const next = (): void => {
    timer = setTimeout(() => { running = run().catch(failed).finally(() => { if (!closed) next(); }); }, everyMs);
  };
  next();
  return async () => {
    closed = true;
    clearTimeout(timer);
    await running;
  };
}
