/**
 * Control characters, which a terminal obeys, and those that turn the direction of the text around them
 * [Unicode Standard Annex 9, 2.1 to 2.6].
 */
const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A name that others chose, as it can stand beside other texts and change nothing in them. */
export const plainText = (text: string): string => text.replace(CONTROLS, '');
