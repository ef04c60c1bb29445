import { createHash } from 'node:crypto';

/** What stands under a call: all of its form but the signature, by name, inside the secret. */
export function josSignature(form: URLSearchParams, secret: string): string {
  const hash = createHash('md5').update(secret, 'utf8');
  const names = [...form.keys()].filter((n) => n !== 'sign');
  names.sort();
  for (const name of names) hash.update(name, 'utf8').update(form.get(name) ?? '', 'utf8');
  return hash.update(secret, 'utf8').digest('hex').toUpperCase();
}
