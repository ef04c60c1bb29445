import { Ajv } from 'ajv';
import type { ChannelKind } from '../../channels/channel.ts';
import { Problem } from '../../domain/problem.ts';

const ajv = new Ajv({ strict: false, allErrors: false });

/** Splits settings into open ones and secrets, checked by the connector's schema. Secrets that are set already need not be given again. */
export function readSettings(kind: Pick<ChannelKind, 'name' | 'settings'>, given: Record<string, unknown>, set: readonly string[]): { settings: Record<string, unknown>; secrets: Record<string, string> } {
  const { properties, required } = kind.settings;
  const unknown = Object.keys(given).find((name) => !(name in properties));
  if (unknown !== undefined) throw new Problem('invalid', `"${unknown}" is no setting of ${kind.name}; its settings are ${Object.keys(properties).join(', ')}`, `/settings/${unknown}`);
  const missing = required.find((name) => given[name] === undefined && !(properties[name]?.secret === true && set.includes(name)));
  if (missing !== undefined) throw new Problem('invalid', `${kind.name} needs the setting "${missing}": ${properties[missing]?.description ?? ''}`, `/settings/${missing}`);
  const settings: Record<string, unknown> = {};
  const secrets: Record<string, string> = {};
  for (const [name, setting] of Object.entries(properties)) {
    const value = given[name] ?? setting.default;
    if (value === undefined) continue;
    const { secret, ...schema } = setting;
    const check = ajv.compile(schema);
    if (!check(value)) throw new Problem('invalid', `${setting.description}: ${check.errors?.[0]?.instancePath ?? ''} ${check.errors?.[0]?.message ?? 'is wrong'}`.trim(), `/settings/${name}${check.errors?.[0]?.instancePath ?? ''}`);
    if (secret === true) secrets[name] = typeof value === 'string' ? value : JSON.stringify(value);
    else settings[name] = value;
  }
  return { settings, secrets };
}
