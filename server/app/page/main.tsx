/** The app: the program beside it, and the picture drawn anew at every change. */

import { render } from 'preact';
import { apiBase } from '../../../shared/rest.js';
import { App } from './app.js';
import { startProgram } from './client/program.js';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for the app');

const program = startProgram(apiBase('', document.documentElement.dataset.region ?? ''));
const draw = () => render(<App state={program.store.state} program={program} />, root);
// What stood there until now told that the app is on its way.
root.replaceChildren();
program.store.onChange(draw);
draw();

// Where the page came without TLS from another machine, the browser has none, and the app works without.
navigator.serviceWorker?.register('/service-worker.js').catch((error: unknown) => console.warn(error));
