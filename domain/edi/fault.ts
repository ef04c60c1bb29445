/** A file that holds no readable interchange. */
export class EdiFault extends Error {
  /** the segment's number in the file */
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.name = 'EdiFault';
    this.at = at;
  }
}
