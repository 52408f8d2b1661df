import { board } from 'board';
import { start } from './start.js';

start(board);
