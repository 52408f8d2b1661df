/** The board that the manifest has chosen, or the desktop's bundler: one of the files beside this one. */

import type { Board } from '../board.js';

export declare const board: Board;
