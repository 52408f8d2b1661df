/**
 * What crosses the pipe between Node and XS: one line of JSON, then bytes. `modules/host.ts` is the other end.
 */

const NEWLINE = 0x0a;

export interface Message<Head> {
  head: Head;
  bytes: Buffer;
}

export const encodeMessage = (head: object, bytes: Uint8Array = new Uint8Array()): Buffer =>
  Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), bytes]);

export function decodeMessage<Head>(message: Buffer): Message<Head> {
  const end = message.indexOf(NEWLINE);
  return { head: JSON.parse(message.toString('utf8', 0, end)) as Head, bytes: message.subarray(end + 1) };
}
