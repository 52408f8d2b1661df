/** Panels on this machine, for tests and for what plays with them. */

export { type Bundle, bundle, bundleFirmware, bundleModules } from './bundle.js';
export {
  type DesktopPanel,
  type DesktopPanelOptions,
  type DesktopState,
  startPanel,
} from './desktop-panel.js';
export { type Cut, FlashDamaged } from './flash.js';
