import { advanceDeclaration } from '../db/declarations/advance.ts';
import type { DeclarationStatus } from '../domain/stock/declaration.ts';
import { uuidOf, type ActivityDeps } from './deps.ts';

/** `wakeAt`: when there is something to do again, ISO 8601; null when the session is over and all its units are accounted for. */
export type DeclarationProgress = { status: DeclarationStatus; wakeAt: string | null };

/** The one activity of `declaration/<id>`. */
export function createDeclarations(deps: ActivityDeps) {
  return {
    /** Takes the steps that are due (go live, end and send units home, settle) and says when to look again. */
    async advanceDeclaration({ declaration }: { declaration: string }): Promise<DeclarationProgress> {
      const { status, step } = await advanceDeclaration(deps.writer, uuidOf('dec', declaration));
      return { status, wakeAt: step.do === 'wait' ? step.until : null };
    },
  };
}
