export type Benchmark = (args: string[]) => Promise<Record<string, unknown>>;

/** Every benchmark by its name; loaded only when asked for. */
export const benchmarks: Record<string, Benchmark> = {
  capture: async (args) => (await import('./capture/capture.ts')).capture(args),
  lifecycle: async (args) => (await import('./lifecycle/lifecycle.ts')).lifecycle(args),
  backlog: async (args) => (await import('./backlog/backlog.ts')).backlog(args),
};
