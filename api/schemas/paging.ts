import { Type } from '@sinclair/typebox';
import { decodeId, type IdPrefix } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { Nullable } from './common.ts';

/** The page of a list: `after` is the `next` of the page before. */
export const paging = {
  after: Type.Optional(Type.String({ maxLength: 64, description: 'the cursor: `next` of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
};
export const Next = Nullable(Type.String({ description: 'the cursor of the following page; null at the end' }));

/** The inside id of a cursor. Throws Problem where it is none of this list's. */
export function cursor(prefix: IdPrefix, after: string | undefined): string | null {
  if (after === undefined) return null;
  const id = decodeId(prefix, after);
  if (id === null) throw new Problem('invalid', 'after must be the `next` of an earlier page of this list', '/querystring/after');
  return id;
}
