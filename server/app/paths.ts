/** The paths of the app's files. A file of its own, so that the server knows them without loading the bundler. */

/** Files of this folder that are served unchanged: path, type and file. */
export const COPIED = [
  ['/manifest.webmanifest', 'application/manifest+json', 'manifest.webmanifest'],
  ['/icon.svg', 'image/svg+xml', 'icons/icon.svg'],
  ['/icon-192.png', 'image/png', 'icons/icon-192.png'],
  ['/icon-maskable.png', 'image/png', 'icons/maskable-512.png'],
] as const;

export const APP_PATHS = [
  '/',
  '/app.js',
  '/app.css',
  '/service-worker.js',
  ...COPIED.map(([path]) => path),
] as const;

export const CONSOLE_PATHS = ['/console', '/console.js', '/console.css'] as const;
