/** The way from a line of the bundle back to the TypeScript. */

import { SourceMap } from 'node:module';

/** A program for XS in one script, with its source map as JSON. */
export interface Bundle {
  readonly source: string;
  readonly map: string;
}

// XS names the script by a number.
const FRAME = /(?<=\()#\d+:(\d+)(?=\))/g;
/** XS tells no column: the first statement of a line stands for it. */
const COLUMNS = 200;

/** Puts TypeScript's files and lines into a stack of XS. */
export function explained({ map }: Bundle, stack: string): string {
  let trace: SourceMap | undefined;
  return stack.replace(FRAME, (frame, line) => {
    // Most lines have no frame, and to read the map takes a while.
    trace ??= new SourceMap(JSON.parse(map));
    return position(trace, frame, Number(line) - 1);
  });
}

function position(trace: SourceMap, frame: string, line: number): string {
  for (let column = 0; column < COLUMNS; column++) {
    const entry = trace.findEntry(line, column);
    if ('originalSource' in entry && entry.generatedLine === line)
      return `${entry.originalSource}:${entry.originalLine + 1}`;
  }
  return frame;
}
