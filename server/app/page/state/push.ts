/** Whether this phone hears of alerts while the app is closed. Pure. */

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

const MAIL = /^[^@\s]+@[^@\s]+\.[^@\s.]+$/;

/** The owner's address for push services; undefined for a text that is none. */
export const contactOf = (address: string): string | undefined =>
  MAIL.test(address.trim()) ? `mailto:${address.trim()}` : undefined;
