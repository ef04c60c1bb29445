import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../simulators/shared/journal.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-journal-'));
  path = join(folder, 'state.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function readBack(): Promise<unknown[]> {
  const records: unknown[] = [];
  const journal = await Journal.open(path, (record) => records.push(record));
  await journal.close();
  return records;
}

describe('Journal', () => {
  it('gives back what was appended, in order, over several runs', async () => {
    for (const start of [0, 3]) {
      const journal = await Journal.open(path, () => undefined);
      for (let n = start; n < start + 3; n += 1) journal.append({ n });
      await journal.settled();
      expect(readFileSync(path, 'utf8').split('\n').length - 1).toBe(start + 3);
      await journal.close();
    }
    expect(await readBack()).toEqual([0, 1, 2, 3, 4, 5].map((n) => ({ n })));
  });

  it('runs an action only when what came before it is written', async () => {
    const journal = await Journal.open(path, () => undefined);
    const seen: string[] = [];
    journal.append({ n: 1 });
    journal.after(() => seen.push(readFileSync(path, 'utf8')));
    expect(seen).toEqual([]);
    await journal.settled();
    expect(seen).toEqual(['{"n":1}\n']);
    journal.after(() => seen.push('at once'));
    expect(seen[1]).toBe('at once');
    await journal.close();
  });

  it.each([['without its end', '{"n":2,"te'], ['with a line end', '{"n":2,"te\n'], ['of zeros', '\0\0\0\0']])(
    'cuts off a torn last line %s and goes on behind it', async (_how, torn) => {
      writeFileSync(path, '{"n":1}\n');
      appendFileSync(path, torn);
      const journal = await Journal.open(path, () => undefined);
      journal.append({ n: 3 });
      await journal.close();
      expect(await readBack()).toEqual([{ n: 1 }, { n: 3 }]);
    },
  );

  it('refuses a file that is broken in the middle', async () => {
    writeFileSync(path, '{"n":1}\n{"n":\n{"n":3}\n');
    await expect(Journal.open(path, () => undefined)).rejects.toThrow('line 2 is not JSON');
  });

  it('keeps nothing without a path', async () => {
    const journal = await Journal.open(undefined, () => undefined);
    journal.append({ n: 1 });
    await journal.settled();
    await journal.close();
  });
});
