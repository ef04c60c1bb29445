type Environment = Readonly<Record<string, string | undefined>>;

/** The text of a variable; undefined when it is missing or empty. */
export function optionalText(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === undefined || value === '' ? undefined : value;
}

/** @throws {Error} naming the variable when it is missing. */
export function requiredText(env: Environment, name: string): string {
  const value = optionalText(env, name);
  if (value === undefined) throw new Error(`${name} is required`);
  return value;
}

/** @throws {Error} naming the variable when it is no number within the bounds (both included). */
export function numberFrom(env: Environment, name: string, otherwise: number, low: number, high: number): number {
  const text = optionalText(env, name);
  const value = text === undefined ? otherwise : Number(text);
  if (!(value >= low && value <= high)) throw new Error(`${name} is a number from ${low} to ${high}`);
  return value;
}

/** A JSON object of texts, e.g. `{"SH-01": "key"}`. @throws {Error} naming the variable when it is something else. */
export function mapFrom(env: Environment, name: string): Record<string, string> {
  const text = optionalText(env, name);
  if (text === undefined) return {};
  const problem = `${name} is a JSON object of texts`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(problem, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(problem);
  const entries = Object.entries(value as Record<string, unknown>);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) throw new Error(problem);
  return Object.fromEntries(entries);
}

/** On SIGTERM or SIGINT: closes, once, and ends the process with 0; a failure to close ends it with an error. */
export function closeOnSignal(close: () => Promise<void>): void {
  let closing = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (closing) return;
      closing = true;
      void close().then(() => process.exit(0));
    });
  }
}
