export type Benchmark = (args: string[]) => Promise<Record<string, unknown>>;

/** Every benchmark by its name; loaded only when asked for. */
export const benchmarks: Record<string, Benchmark> = {
  capture: async (args) => (await import('./capture/capture.ts')).capture(args),
  lifecycle: async (args) => (await import('./lifecycle/lifecycle.ts')).lifecycle(args),
  backlog: async (args) => (await import('./backlog/backlog.ts')).backlog(args),
  'flash-sale': async (args) => (await import('./flash-sale/flash-sale.ts')).flashSale(args),
  'hot-sku': async (args) => (await import('./hot-sku/hot-sku.ts')).hotSku(args),
  overload: async (args) => (await import('./overload/overload.ts')).overload(args),
  availability: async (args) => (await import('./availability/availability.ts')).availability(args),
  routing: async (args) => (await import('./routing/routing.ts')).routing(args),
  simulation: async (args) => (await import('./simulation/simulation.ts')).simulation(args),
  wave: async (args) => (await import('./wave/wave.ts')).wave(args),
  rescue: async (args) => (await import('./rescue/rescue.ts')).rescue(args),
  growth: async (args) => (await import('./growth/growth.ts')).growth(args),
  forecast: async (args) => (await import('./forecast/forecast.ts')).forecast(args),
  replenishment: async (args) => (await import('./replenishment/replenishment.ts')).replenishment(args),
  'slow-movers': async (args) => (await import('./slow-movers/slow-movers.ts')).slowMovers(args),
  redistribution: async (args) => (await import('./redistribution/redistribution.ts')).redistribution(args),
  webhooks: async (args) => (await import('./webhooks/webhooks.ts')).webhooks(args),
  'channel-sync': async (args) => (await import('./channel-sync/channel-sync.ts')).channelSync(args),
  'cross-channel': async (args) => (await import('./cross-channel/cross-channel.ts')).crossChannel(args),
  planning: async (args) => (await import('./planning/planning.ts')).planning(args),
};
