/** Something that the contract wants is not so; the message says what was wanted and what came. */
export class Fault extends Error {
  override readonly name = 'Fault';
}
