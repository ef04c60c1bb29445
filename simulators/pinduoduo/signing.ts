import { createHash } from 'node:crypto';

const hex = (input: string): string => createHash('md5').update(Buffer.from(input, 'utf8')).digest('hex');

/** The gateway's side: what the fields of a form must be signed with. Fields without a value are not signed. */
export function expectedSign(form: Iterable<readonly [string, string]>, secret: string): string {
  const names = new Map([...form].filter(([name, value]) => name !== 'sign' && value.length > 0));
  let input = secret;
  for (const name of [...names.keys()].sort()) input += `${name}${names.get(name) ?? ''}`;
  return hex(input + secret).toUpperCase();
}

/** The part of a stream's address that proves it, as it stands in the address. */
export function expectedDigest(clientId: string, ms: string, secret: string): string {
  return Buffer.from(hex([clientId, ms, secret].join('')), 'ascii').toString('base64').replaceAll('=', '%3D').replaceAll('+', '%2B').replaceAll('/', '%2F');
}
