export type Benchmark = (args: string[]) => Promise<Record<string, unknown>>;

/** Every benchmark by its name; loaded only when asked for. */
export const benchmarks: Record<string, Benchmark> = {
  capture: async (args) => (await import('./capture/capture.ts')).capture(args),
};
