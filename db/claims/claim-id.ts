import { decodeId, encodeId } from '../../domain/ids.ts';

/** A claim's id as clients see it: `clm_…`, of the same alphabet and length as every other id. */
export function claimId(uuid: string): string { return `clm${encodeId('par', uuid).slice(3)}`; }

/** The UUID of a claim's outside id, or null when it is none. */
export function claimUuid(id: string): string | null { return id.startsWith('clm_') ? decodeId('par', `par${id.slice(3)}`) : null; }
