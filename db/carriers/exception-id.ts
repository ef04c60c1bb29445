import { decodeId, encodeId } from '../../domain/ids.ts';

/** An exception's id as clients see it: `exc_…`, of the same alphabet and length as every other id. */
export function exceptionId(uuid: string): string { return `exc${encodeId('par', uuid).slice(3)}`; }

/** The UUID of an exception's outside id, or null when it is none. */
export function exceptionUuid(id: string): string | null { return id.startsWith('exc_') ? decodeId('par', `par${id.slice(3)}`) : null; }
