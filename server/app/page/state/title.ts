/** What stands in the title of the window, and so in the list of windows. */

import { type AppState, alarming, panelOf, shownId } from './app.js';
import { headlineOf } from './headline.js';
import { say } from './say.js';

/** The state of the panel that rings or is shown. */
export function titleText(state: AppState): string {
  const panel = alarming(state) ?? panelOf(state, shownId(state));
  if (panel === undefined) return say('app.name');
  const { word, isOld } = headlineOf(panel, state.link);
  return say(isOld ? 'title.old' : 'title.now', { word, panel: panel.name });
}
