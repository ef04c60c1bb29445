import { describe, expect, it } from 'vitest';
import { CONTRACT } from '../../bin/channel/checks/index.ts';
import { runCheck } from '../../bin/channel/contract.ts';
import { Rig } from '../../bin/channel/rig.ts';
import { channelKinds } from '../../channels/registry.ts';
import { accountOf, SIMULATORS } from './support/platforms.ts';

/** Every connector of the registry by itself, against its simulator: the contract that `npm run channel -- check` runs. every/ has the whole system around it. */
describe.each(channelKinds.map((kind) => [kind.platform, kind] as const))('%s', (platform, kind) => {
  it.each(CONTRACT.map((check) => [check.title, check] as const))('%s', async (title, check) => {
    const { protocol, folder } = SIMULATORS[platform]!;
    const rig = await Rig.open({ kind, account: await accountOf(folder), protocol });
    try {
      const outcome = await runCheck(check, rig);
      expect(outcome).toEqual({ title, result: outcome.result === 'other' ? 'other' : 'good', words: outcome.result === 'other' ? outcome.words : '' });
    } finally {
      await rig.close();
    }
  });
});
