import type { Readable } from 'node:stream';

/** A physical line of an upload, numbered from 1, without its end; or why it cannot be read. */
export type TextLine = { line: number; text: string } | { line: number; error: string };

/** As long as a body of POST /v1/orders may be: what is longer is read past, never kept. */
const MAX_BYTES = 1_048_576;
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(line: number, bytes: Buffer): TextLine {
  const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
  try {
    return { line, text: utf8.decode(bytes.subarray(0, end)) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { line, error: 'the line is no valid UTF-8' };
  }
}

/**
 * The lines of a stream of UTF-8 (ends: LF or CRLF; a byte order mark is dropped). Reads only as fast as it is asked, and throws the stream's error when
 * the upload breaks off: Node's readline does neither, and takes U+2028, which JSON allows in a text, for an end.
 */
export async function* readLines(stream: Readable): AsyncGenerator<TextLine, undefined> {
  let line = 1;
  let parts: Buffer[] = [];
  let size = 0;
  const finish = (last: Buffer): TextLine => {
    const read: TextLine = size + last.length > MAX_BYTES ? { line, error: `the line is longer than ${MAX_BYTES} bytes` } : decode(line, parts.length === 0 ? last : Buffer.concat([...parts, last]));
    line += 1;
    parts = [];
    size = 0;
    return read;
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      yield finish(chunk.subarray(from, end));
      from = end + 1;
    }
    size += chunk.length - from;
    if (size > MAX_BYTES) parts = [];
    else if (from < chunk.length) parts.push(chunk.subarray(from));
  }
  if (size > 0) {
    const last = Buffer.concat(parts);
    size -= last.length;
    parts = [];
    yield finish(last);
  }
  return undefined;
}
