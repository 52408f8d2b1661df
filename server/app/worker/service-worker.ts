/** Keeps the app's files on the phone, so that the app opens without the server, and shows its notifications. */

declare const self: ServiceWorkerGlobalScope;
/** The paths of the app's files, and a digest of all of them. The bundler puts both in. */
declare const FILES: readonly string[];
declare const DIGEST: string;

const CACHE = `alarm-twin ${DIGEST}`;

self.addEventListener('install', (event) => {
  event.waitUntil(load().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOthers().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== self.location.origin || !FILES.includes(pathname)) return;
  event.respondWith(kept(pathname, event.request));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show(String(event.notification.data)));
});

async function load(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((path) => new Request(path, { cache: 'no-cache' })));
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}

/** Shows the window of the app that is open, or opens one. */
async function show(panelId: string): Promise<void> {
  const [open] = await self.clients.matchAll({ type: 'window' });
  if (open === undefined) await self.clients.openWindow(`/#panel=${panelId}`);
  else await open.focus();
}
