/** A field as it was asked for: its arguments (variables filled in), and what is wanted below it (null: a scalar). Fields of inline fragments stand among the others. */
export type Field = { name: string; args: Record<string, unknown>; fields: Field[] | null; directives: Record<string, Record<string, unknown>> };

/** A connection as the simulator keeps it: all of it; a page is cut where it is asked for. */
export class Connection {
  readonly all: readonly unknown[];
  readonly cursor: (node: unknown, at: number) => string;
  /** `cursor`: what a place in it is named by; a place that has gone is that of the next one after it */
  constructor(all: readonly unknown[], cursor: (node: unknown, at: number) => string = (_node, at) => String(at).padStart(6, '0')) {
    this.all = all;
    this.cursor = cursor;
  }
}

const TOKEN = /\s+|,|(\.\.\.|[!$():=@[\]{}|]|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[A-Za-z_]\w*)/y;

/** The one operation of a document. Reads what queries need: arguments, variables, directives, inline fragments; no named fragments, no aliases. Throws SyntaxError. */
export function parse(query: string, variables: Readonly<Record<string, unknown>>): { kind: 'query' | 'mutation'; name: string; fields: Field[] } {
  const tokens: string[] = [];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < query.length;) {
    const found = TOKEN.exec(query);
    if (!found) throw new SyntaxError('a character of the query cannot be read');
    if (found[1] !== undefined) tokens.push(found[1]);
  }
  let at = 0;
  const next = (): string => tokens[at++] ?? '';
  const take = (wanted: string): void => { const got = next(); if (got !== wanted) throw new SyntaxError(`expected ${wanted}, got "${got}"`); };
  function value(): unknown {
    const token = next();
    if (token === '$') return variables[next()] ?? null;
    if (token === '[') { const items: unknown[] = []; while (tokens[at] !== ']') items.push(value()); at++; return items; }
    if (token === '{') { const object: Record<string, unknown> = {}; while (tokens[at] !== '}') { const name = next(); take(':'); object[name] = value(); } at++; return object; }
    if (token.startsWith('"')) return JSON.parse(token);
    return token === 'true' ? true : token === 'false' ? false : token === 'null' ? null : /^-?\d/.test(token) ? Number(token) : token;
  }
  function args(): Record<string, unknown> {
    const given: Record<string, unknown> = {};
    if (tokens[at] !== '(') return given;
    at++;
    while (tokens[at] !== ')') { const name = next(); take(':'); given[name] = value(); }
    at++;
    return given;
  }
  function selection(): Field[] {
    take('{');
    const fields: Field[] = [];
    while (tokens[at] !== '}') {
      if (tokens[at] === '...') {
        at++;
        take('on');
        next();
        fields.push(...selection());
        continue;
      }
      const name = next();
      if (!/^\w+$/.test(name)) throw new SyntaxError(`a field, not "${name}"`);
      const given = args();
      const directives: Field['directives'] = {};
      while (tokens[at] === '@') { at++; directives[next()] = args(); }
      fields.push({ name, args: given, directives, fields: tokens[at] === '{' ? selection() : null });
    }
    at++;
    return fields;
  }
  const kind = next();
  if (kind !== 'query' && kind !== 'mutation') throw new SyntaxError('an operation is a query or a mutation');
  const name = next();
  while (at < tokens.length && tokens[at] !== '{') at++; // the types of variables
  return { kind, name, fields: selection() };
}

/** Points by the rule that is published (shopify.dev, "Calculating query costs"): scalars nothing, an object 1, a connection as many of its nodes as `first` says, a mutation 10. What it says nothing of: lists without a size count once. */
export function cost(fields: readonly Field[]): number {
  return fields.reduce((sum, f) => {
    if (f.fields === null) return sum;
    const nodes = f.fields.find((x) => x.name === 'nodes');
    if (nodes) return sum + size(f) * (1 + cost(nodes.fields ?? []));
    return sum + size(f) * (1 + cost(f.fields));
  }, 0);
}
const size = (f: Field): number => (typeof f.args['first'] === 'number' ? f.args['first'] : Array.isArray(f.args['ids']) ? f.args['ids'].length : 1);

/** What was asked for of a value, and nothing else. Throws for a field that it does not have. */
export function answer(value: unknown, field: Field): unknown {
  const { fields, args } = field;
  if (fields === null || value === null || value === undefined) return value ?? null;
  if (value instanceof Connection) {
    const keys = value.all.map((node, i) => value.cursor(node, i));
    const after = args['after'];
    const from = typeof after === 'string' ? keys.filter((k) => k <= after).length : 0;
    const page = value.all.slice(from, from + size(field));
    const nodes = fields.find((f) => f.name === 'nodes');
    return {
      ...(nodes ? { nodes: page.map((node) => answer(node, { ...nodes, args: {} })) } : {}),
      ...(fields.some((f) => f.name === 'pageInfo') ? { pageInfo: { hasNextPage: from + page.length < value.all.length, endCursor: page.length === 0 ? null : keys[from + page.length - 1] } } : {}),
    };
  }
  if (Array.isArray(value)) return (typeof args['first'] === 'number' ? value.slice(0, args['first']) : value).map((item) => answer(item, { ...field, args: {} }));
  const object = value as Record<string, unknown>;
  return Object.fromEntries(fields.map((f) => {
    if (!(f.name in object)) throw new Error(`Field '${f.name}' doesn't exist`);
    return [f.name, answer(object[f.name], f)];
  }));
}
