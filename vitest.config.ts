import { defineConfig } from 'vitest/config';

const common = {
  pool: 'forks', testTimeout: 180_000, hookTimeout: 300_000, teardownTimeout: 60_000, restoreMocks: true, unstubEnvs: true,
  sequence: { shuffle: { files: true, tests: false } },
} as const;
/** Their files have nothing in common but the modules they import: a worker loads these once for all of them, and not for each, which took a quarter of the run. */
const together = 'test/{activities,api,carriers,channels,db,domain,messengers,partners,runtime,simulators}/**/*.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 2,
    projects: [
      { test: { ...common, name: 'together', include: [together], isolate: false } },
      { test: { ...common, name: 'alone', include: ['test/**/*.test.ts'], exclude: [together] } },
    ],
  },
});
