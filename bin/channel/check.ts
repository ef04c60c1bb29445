import type { ChannelKind } from '../../channels/channel.ts';
import { CONTRACT } from './checks/index.ts';
import { runCheck, type Outcome } from './contract.ts';
import { foldersOf, gapsAround, isGap, loadKind, loadSimulator, type Gap, type Simulator } from './folders.ts';
import { Rig, type RigOptions } from './rig.ts';

/** `live`: the settings of a real shop, to be asked and never changed; `orders`, `skus` of it that may be read. */
export type CheckOptions = { root: string; name: string; live?: { account: Record<string, unknown>; orders: readonly string[]; skus: readonly string[] } };
export type Report = { outcomes: Outcome[]; gaps: Gap[]; good: boolean };

/** Runs the contract of one connector, a fresh shop for each sentence, and looks at what must lie around it. */
export async function checkChannel(o: CheckOptions, say: (line: string) => void): Promise<Report> {
  const folders = foldersOf(o.root, o.name);
  const kind = await loadKind(folders);
  if (isGap(kind)) return finish(o, [], [kind], say);
  let simulator: Simulator | null = null;
  const gaps: Gap[] = [];
  if (!o.live) {
    const loaded = await loadSimulator(folders);
    if (isGap(loaded)) return finish(o, [], [loaded], say);
    simulator = loaded;
    gaps.push(...loaded.unwritten.map((words) => ({ part: `${folders.simulator.slice(o.root.length + 1)}/protocol.ts`, words })));
  }
  say(`${o.name}: ${o.live ? `the part of the contract that changes nothing, against the live shop at ${String(o.live.account['baseUrl'] ?? o.live.account['shopDomain'] ?? 'its platform')}` : `the contract against its simulator, ${folders.simulator.slice(o.root.length + 1)}`}`);
  const outcomes = await runContract(kind, o.live ? { kind, account: o.live.account, protocol: null, orders: o.live.orders, skus: o.live.skus } : { kind, account: simulator?.account ?? {}, protocol: simulator?.protocol ?? null }, say);
  const written = gaps.length === 0 && outcomes.every((x) => x.result === 'good' || x.result === 'other');
  if (!o.live) gaps.push(...await gapsAround(folders, written));
  return finish(o, outcomes, gaps, say);
}

const MARK: Readonly<Record<Outcome['result'], string>> = { good: 'ok      ', unwritten: 'to write', missing: 'missing ', other: '-       ' };

async function runContract(kind: ChannelKind, options: RigOptions, say: (line: string) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const check of CONTRACT) {
    let outcome: Outcome;
    try {
      const rig = await Rig.open(options);
      try {
        outcome = await runCheck(check, rig);
      } finally {
        await rig.close();
      }
    } catch (error) {
      outcome = { title: check.title, result: 'missing', words: `the shop account of ${kind.name} does not do: ${(error as Error).message}` };
    }
    outcomes.push(outcome);
    say(`  ${MARK[outcome.result]} ${outcome.title}${outcome.words === '' ? '' : outcome.result === 'unwritten' ? ` (${outcome.words.split(':', 1)[0] ?? ''})` : outcome.result === 'other' ? ` (${outcome.words})` : `\n           ${outcome.words}`}`);
  }
  return outcomes;
}

function finish(o: CheckOptions, outcomes: Outcome[], gaps: Gap[], say: (line: string) => void): Report {
  for (const gap of gaps) say(`  missing  ${gap.part}: ${gap.words}`);
  const of = (result: Outcome['result']): Outcome[] => outcomes.filter((x) => x.result === result);
  const todo = [...new Set(of('unwritten').map((x) => x.words))];
  const count = of('missing').length + of('unwritten').length + gaps.length;
  const good = count === 0;
  say(`${o.name}: ${of('good').length} of ${outcomes.length - of('other').length} sentences of the contract are met; ${good ? 'nothing is missing' : `${count} ${count === 1 ? 'thing is' : 'things are'} missing`}`);
  if (todo.length > 0) say(`left to write in channels/${o.name}:\n${todo.map((t) => `  ${t}`).join('\n')}`);
  if (good && !o.live) say(`the whole system around it: npx vitest run test/channels/every -t ${o.name}`);
  return { outcomes, gaps, good };
}
