/** Whether this phone hears of alerts while the app is closed, in words. Pure. */

/** What the browser says, and what this phone has done. */
export interface PushFacts {
  /** The page came over TLS, or from this machine. */
  readonly isSecure: boolean;
  /** The browser has Web Push for this page. */
  readonly hasPush: boolean;
  readonly isApple: boolean;
  readonly isOnHomeScreen: boolean;
  readonly permission: 'default' | 'granted' | 'denied';
  readonly isSubscribed: boolean;
  /** The server has a channel for phones. */
  readonly isOffered: boolean;
}

export type PushKind =
  | 'unknown'
  | 'no-tls'
  | 'home-screen'
  | 'no-browser'
  | 'blocked'
  | 'not-offered'
  | 'off'
  | 'on';

export function pushKindOf(facts: PushFacts): PushKind {
  if (!facts.isSecure) return 'no-tls';
  if (!facts.hasPush) return facts.isApple && !facts.isOnHomeScreen ? 'home-screen' : 'no-browser';
  if (facts.permission === 'denied') return 'blocked';
  if (!facts.isOffered) return 'not-offered';
  return facts.isSubscribed && facts.permission === 'granted' ? 'on' : 'off';
}

export const PUSH_TEXTS: Readonly<Record<PushKind, string>> = {
  unknown: 'Asking the browser and the server …',
  'no-tls':
    'Not possible: this page came without TLS. Over https, with a certificate that the browser trusts, it may be.',
  'home-screen':
    'On an iPhone or iPad, put the app on the home screen first, and open it there. It takes iOS 16.4 or later.',
  'no-browser': 'Not possible: this browser has no Web Push for this page.',
  blocked:
    'Blocked: notifications are forbidden in the settings of the browser, for this page. Allow them there.',
  'not-offered':
    'Off: the server has no channel for phones. A notification can tell of an alarm while the app is open.',
  off: 'Off: this phone hears of an alarm only while the app is open.',
  on: 'On: this phone hears of an alarm also while the app is closed.',
};

const MAIL = /^[^@\s]+@[^@\s]+\.[^@\s.]+$/;

/** The owner's address for push services; undefined for a text that is none. */
export const contactOf = (address: string): string | undefined =>
  MAIL.test(address.trim()) ? `mailto:${address.trim()}` : undefined;
