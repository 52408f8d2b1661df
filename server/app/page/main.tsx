/** The app: the program beside it, and the picture drawn anew at every change. */

import { render } from 'preact';
import { apiBase } from '../../../shared/rest.js';
import { App } from './app.js';
import { startProgram } from './client/program.js';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for the app');

const program = startProgram(apiBase('', document.documentElement.dataset.region ?? ''));
const draw = () => render(<App state={program.store.state} program={program} />, root);
program.store.onChange(draw);
draw();
// It says what to do when the app does not start, so it goes when the app is drawn, and not before.
document.getElementById('loading')?.remove();

// Where the page came without TLS from another machine, the browser has none, and the app works without.
navigator.serviceWorker?.register('/service-worker.js').catch((error: unknown) => console.warn(error));
