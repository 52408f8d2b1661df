/** Starts the app: its program, and the screen, which is drawn again at every change of the state. */

import { render } from 'preact';
import { apiBase } from '../../../shared/rest.js';
import { App } from './app.js';
import { keepLanguage } from './client/language-choice.js';
import { pageSpeech } from './client/page-speech.js';
import { startProgram } from './client/program.js';
import { speak } from './state/say.js';
import { titleText } from './state/title.js';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for the app');

speak(pageSpeech(), navigator.languages);
keepLanguage();

const program = startProgram(apiBase('', document.documentElement.dataset.region ?? ''));
const draw = () => {
  const { state } = program.store;
  document.title = titleText(state);
  render(<App state={state} program={program} />, root);
};
program.store.onChange(draw);
draw();
// It says what to do when the app does not start, so it goes when the app is drawn, and not before.
document.getElementById('loading')?.remove();

// A browser has no service worker for a page that came without TLS from another machine. The app works without it.
navigator.serviceWorker?.register('/service-worker.js').catch((error: unknown) => console.warn(error));
