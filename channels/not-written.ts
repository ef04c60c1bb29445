/** A part of a connector that its author has yet to write. `npm run channel -- check NAME` lists them; no platform of the registry has any. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten';

  /** `part`: the method; `todo`: what it must do, for the author to read. */
  constructor(part: string, todo: string) {
    super(`${part}: ${todo}`);
  }
}
