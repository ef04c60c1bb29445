import { bag } from '../safe-json.ts';

const STEP = /\.([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\['((?:[^'\\]|\\.)*)'\]/y;

/** A path that names one place in a JSON document: the singular queries of RFC 9535 (`$.a.b[0]['c d']`). Throws SyntaxError. */
export function compilePath(path: string): (value: unknown) => unknown {
  if (!path.startsWith('$')) throw new SyntaxError(`"${path}" is no JSON path: it begins with $`);
  const steps: (string | number)[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const at = STEP.lastIndex;
    const match = STEP.exec(path);
    if (!match) throw new SyntaxError(`"${path}" is no JSON path at character ${at + 1}: names, ['names'] and [numbers] only`);
    steps.push(match[2] === undefined ? match[1] ?? (match[3] ?? '').replace(/\\(.)/g, '$1') : Number(match[2]));
  }
  return (value) => steps.reduce<unknown>((v, step) => (typeof step === 'number' ? (Array.isArray(v) ? v[step] as unknown : undefined) : bag(v)[step]), value);
}

const PLACEHOLDER = /\{([A-Za-z]\w*)\}/g;

/** Fills `{name}` in a text; in a URL each value is escaped. A text that is one placeholder only becomes the value itself, a number too. */
export function fill(template: unknown, values: Readonly<Record<string, unknown>>, inUrl = false): unknown {
  if (typeof template === 'string') {
    const whole = /^\{([A-Za-z]\w*)\}$/.exec(template)?.[1];
    if (whole !== undefined && !inUrl) return values[whole] ?? null;
    return template.replace(PLACEHOLDER, (_all, name: string) => { const value = values[name] ?? ''; return inUrl ? encodeURIComponent(text(value)) : text(value); });
  }
  if (Array.isArray(template)) return template.map((t) => fill(t, values));
  if (typeof template === 'object' && template !== null) return Object.fromEntries(Object.entries(template).map(([k, v]) => [k, fill(v, values)]));
  return template;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
