import { createHash } from 'node:crypto';

const upperMd5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex').toUpperCase();
/** Of a query: upper-case hexadecimal MD5 of `param + key + customer`. */
export const querySign = (param: string, key: string, customer: string): string => upperMd5(param + key + customer);
/** Of a callback: upper-case hexadecimal MD5 of `param + salt`. */
export const callbackSign = (param: string, salt: string): string => upperMd5(param + salt);
