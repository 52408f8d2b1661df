/** What the first screen does without: it comes after that, so that on a slow network the big toggle does not wait for it. */

export { type Desk, deskOf } from './client/desk.js';
export { switchOff } from './client/push.js';
export { Past } from './parts/past.js';
export { Alerts } from './screens/alerts.js';
export { Pairing } from './screens/pairing.js';
export { Phone } from './screens/phone.js';
