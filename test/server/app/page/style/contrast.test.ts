/** The contrast of what the timeline is drawn in, reckoned from the palette as WCAG 2.2 says (1.4.11: 3 : 1 at least). */

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const LEAST = 3;

const css = readFileSync('server/app/page/style/palette.css', 'utf8');
const [lightPart = '', darkPart = ''] = css.split('@media (prefers-color-scheme: dark)');

const coloursIn = (part: string): Record<string, string> =>
  Object.fromEntries(
    [...part.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]),
  );

const light = coloursIn(lightPart);
const SCHEMES = { light, dark: { ...light, ...coloursIn(darkPart) } };

/** Relative luminance. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

test('black on white has the highest contrast that there is', () => {
  assert.is(contrast('#000000', '#ffffff'), 21);
});

/** What is seen, on what. */
const PAIRS: [what: string, line: string, ground: string][] = [
  ['the edge of a track on the card', 'hatch-line', 'card'],
  ['the edge of a track on its inside', 'hatch-line', 'track'],
  ['the dots of "no record" on the card', 'hatch-line', 'card'],
  ['the hatches of "no contact" on their ground', 'hatch-line', 'hatch-ground'],
  ['the bar "armed" on its track', 'armed', 'track'],
  ['the bar "open" on its track', 'warning', 'track'],
  ['the bar "siren" on its track', 'alarm', 'track'],
];

for (const [scheme, colours] of Object.entries(SCHEMES)) {
  for (const [what, line, ground] of PAIRS) {
    test(`${what} can be seen in the ${scheme} theme`, () => {
      const found = contrast(colours[line] ?? '', colours[ground] ?? '');
      assert.ok(found >= LEAST, `${found.toFixed(2)} : 1`);
    });
  }
}

test.run();
