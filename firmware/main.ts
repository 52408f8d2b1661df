import { board } from './boards/board.js';
import { start } from './start.js';

start(board);
