import { expect, it } from 'vitest';
import { StatusDisplay } from '../../../bin/embedded/status.ts';

const facts = { docsUrl: 'http://localhost:8080/docs', uiUrl: 'http://localhost:8233', apiKey: 'tk_1' };

function screen(isTTY: boolean, columns = 80): { isTTY: boolean; columns: number; written: string[]; write(text: string): void } {
  const written: string[] = [];
  return { isTTY, columns, written, write: (text) => void written.push(text) };
}

it('prints a line only when it changes where there is no terminal', () => {
  const out = screen(false);
  const display = new StatusDisplay(out);
  display.show(facts, { counts: { captured: 2, shipped: 0 } });
  display.show(facts, { counts: { captured: 2, shipped: 0 } });
  display.show(facts, { counts: { captured: 1, shipped: 1 } });
  display.message('worker ended');
  expect(out.written.join('')).toBe(`API docs: http://localhost:8080/docs
Temporal UI: http://localhost:8233
API key: tk_1
Orders: captured 2
Orders: captured 1, shipped 1
worker ended
`);
});

it('redraws in place on a terminal, below the messages, counting wrapped rows', () => {
  const out = screen(true, 20);
  const display = new StatusDisplay(out);
  display.show(facts, { counts: {} });
  // 36, 34, 13 and 16 characters on 20 columns: 2 + 2 + 1 + 1 rows
  const first = 'API docs: http://localhost:8080/docs\nTemporal UI: http://localhost:8233\nAPI key: tk_1\nOrders: none yet\n';
  expect(out.written).toEqual([first]);
  display.show(facts, { counts: {} });
  expect(out.written).toEqual([first]);
  display.message('worker ended');
  expect(out.written.slice(1)).toEqual(['\u001b[6A\u001b[0J', 'worker ended\n', first]);
  display.clear();
  expect(out.written.slice(4)).toEqual(['\u001b[6A\u001b[0J']);
});

it('says when the counts are not known', () => {
  const out = screen(false);
  new StatusDisplay(out).show({ docsUrl: 'http://localhost:1/docs', apiKey: 'tk_1' }, { unknown: 'the API answers 503' });
  expect(out.written.at(-1)).toBe('Orders: the API answers 503\n');
});
