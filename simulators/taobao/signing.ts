import { createHash, createHmac } from 'node:crypto';

/** What the platform computes over a form: every filled field by name, none but the signature left out, the way that the form itself names. */
export function topSignature(form: URLSearchParams, secret: string): string {
  const names = [...new Set(form.keys())].filter((n) => n !== 'sign').sort();
  let line = '';
  for (const name of names) if ((form.get(name) ?? '').length > 0) line = line.concat(name, form.get(name) ?? '');
  switch (form.get('sign_method')) {
    case 'hmac': return createHmac('md5', secret).update(line, 'utf8').digest('hex').toUpperCase();
    case 'hmac-sha256': return createHmac('sha256', secret).update(line, 'utf8').digest('hex').toUpperCase();
    default: return createHash('md5').update(`${secret}${line}${secret}`, 'utf8').digest('hex').toUpperCase();
  }
}
