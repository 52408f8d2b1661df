/**
 * Why the panel is offline, as its connections tell it: no network; no time, without which no certificate is valid; the
 * server's certificate; the device's credentials; or anything else between the panel and its server.
 */
export type Trouble = 'network' | 'time' | 'certificate' | 'device' | 'server';
