import { benchmarks } from './registry.ts';

const [name, ...args] = process.argv.slice(2);
const run = name === undefined ? undefined : benchmarks[name];
if (!run) {
  console.error(`usage: npm run bench -- NAME\nknown: ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}
const result = await run(args);
// The last line is the result, for programs.
console.log(JSON.stringify(result));
process.exit(0);
