import { createHash } from 'node:crypto';

/** LINK's data_digest: base64 of the MD5 bytes of `logistics_interface + secret`. */
export const dataDigest = (content: string, secret: string): string => createHash('md5').update(content + secret, 'utf8').digest('base64');
