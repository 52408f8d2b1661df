/** The kinds of settings, and how each is read. The message of an error says what is expected. */

import { isIP, isIPv6 } from 'node:net';
import { isUuid } from '../shared/document.js';
import { type DatabaseAddress, parseAddress } from './database-address.js';
import { isHostName } from './names.js';

export interface Address {
  host: string;
  /** 0 lets the system choose. */
  port: number;
}

export interface Network {
  address: string;
  /** The length of the prefix in bits. For one machine it is the length of the address. */
  prefix: number;
}

export interface Setting<T> {
  variable: string;
  fallback: string;
  read: (text: string) => T;
  help: string;
  /** If this setting is not given and the other has port 0, this one gets the other's value. */
  beside?: string;
  /** The value holds a secret, so no message shows it. */
  isSecret?: boolean;
}

export const text = (variable: string, fallback: string, help: string): Setting<string> => ({
  variable,
  fallback,
  read: (given) => given,
  help,
});

/** A text of one form. @param expected says which */
export const textLike = (
  variable: string,
  fallback: string,
  form: RegExp,
  expected: string,
  help: string,
): Setting<string> => ({
  variable,
  fallback,
  read: (given) => {
    if (!form.test(given)) throw new Error(`expected ${expected}`);
    return given;
  },
  help,
});

/** A URL of http or https, or an empty text. */
export const url = (variable: string, help: string): Setting<string> => ({
  variable,
  fallback: '',
  read: (given) => {
    if (given !== '' && !(URL.canParse(given) && /^https?:/.test(given))) {
      throw new Error('expected a URL of http or https');
    }
    return given;
  },
  help,
});

export interface Broker {
  /** Without the name and the password. */
  url: string;
  username?: string;
  password?: string;
}

/** An MQTT broker as a URL, with a name and a password; an empty text means none. */
export const broker = (variable: string, help: string): Setting<Broker | undefined> => ({
  variable,
  fallback: '',
  read: (given) => (given === '' ? undefined : brokerIn(given)),
  help,
  isSecret: true,
});

/** The address of a PostgreSQL database; an empty text means none. */
export const database = (variable: string, help: string): Setting<DatabaseAddress | undefined> => ({
  variable,
  fallback: '',
  read: (given) => (given === '' ? undefined : parseAddress(given)),
  help,
  isSecret: true,
});

/** A whole number of at least `least`. */
export const wholeNumber = (
  variable: string,
  fallback: number,
  { least }: { least: number },
  help: string,
): Setting<number> => ({
  variable,
  fallback: String(fallback),
  read: (given) => {
    const number = Number(given);
    if (!/^\d+$/.test(given) || number < least || !Number.isSafeInteger(number)) {
      throw new Error(`expected a whole number of at least ${least}`);
    }
    return number;
  },
  help,
});

export const origins = (variable: string, help: string): Setting<readonly string[]> => ({
  variable,
  fallback: '',
  read: originList,
  help,
});

export const address = (variable: string, fallback: string, help: string): Setting<Address> => ({
  variable,
  fallback,
  read: hostAndPort,
  help,
});

/** An address. An empty text means none. */
export const addressOrNone = (
  variable: string,
  fallback: string,
  beside: string,
  help: string,
): Setting<Address | undefined> => ({
  variable,
  fallback,
  read: (given) => (given === '' ? undefined : hostAndPort(given)),
  help,
  beside,
});

export const names = (variable: string, help: string): Setting<readonly string[]> => ({
  variable,
  fallback: '',
  read: nameList,
  help,
});

export const networks = (variable: string, help: string): Setting<readonly Network[]> => ({
  variable,
  fallback: '',
  read: (given) => wordsOf(given).map(network),
  help,
});

export const flag = (variable: string, help: string): Setting<boolean> => ({
  variable,
  fallback: '0',
  read: (given) => {
    if (given !== '0' && given !== '1') throw new Error('expected 0 or 1');
    return given === '1';
  },
  help,
});

export const oneOf = <Word extends string>(
  variable: string,
  fallback: Word,
  words: readonly Word[],
  help: string,
): Setting<Word> => ({
  variable,
  fallback,
  read: (given) => {
    const word = words.find((each) => each === given);
    if (word === undefined) throw new Error(`expected one of ${words.join(', ')}`);
    return word;
  },
  help,
});

export const token = (variable: string, help: string): Setting<string | undefined> => ({
  variable,
  fallback: '',
  read: uuidOrNothing,
  help,
});

const wordsOf = (given: string): string[] =>
  given
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

const originList = (given: string): string[] => wordsOf(given).map(webOrigin);

function nameList(given: string): string[] {
  const words = wordsOf(given).map((word) => word.toLowerCase());
  // Certificates and URLs cannot hold the zone of an address, as in fe80::1%eth0.
  if (!words.every((word) => (isIP(word) !== 0 && !word.includes('%')) || isHostName(word))) {
    throw new Error('expected host names and addresses, such as alarm.example,192.0.2.7');
  }
  return words;
}

function network(word: string): Network {
  const [address = '', given, ...more] = word.split('/');
  const longest = isIPv6(address) ? 128 : 32;
  const prefix = given === undefined ? longest : Number(given);
  const isPrefix = given === undefined || (/^\d{1,3}$/.test(given) && prefix <= longest);
  if (isIP(address) === 0 || address.includes('%') || !isPrefix || more.length > 0) {
    throw new Error('expected addresses and networks, such as 127.0.0.1,10.0.0.0/8');
  }
  return { address, prefix };
}

/** The origins of a local file and of a sandboxed page. */
const WITHOUT_HOST = ['null', 'file://'];

/** Reads an origin of a web page or of an app's framework, such as `capacitor://localhost`. Patterns are refused. */
function webOrigin(word: string): string {
  if (WITHOUT_HOST.includes(word)) return word;
  const url = URL.canParse(word) && !word.includes('*') ? new URL(word) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) {
    if (url.href === `${url.origin}/`) return url.origin;
  } else if (url !== undefined && url.host !== '' && url.href === `${url.protocol}//${url.host}`) {
    return url.href;
  }
  throw new Error('expected origins such as https://alarm.example:8443, separated by commas, without a *');
}

function hostAndPort(given: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(given) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) throw new Error('expected host:port, such as 127.0.0.1:8080');
  return { host: bracketed ?? plain ?? '', port };
}

function brokerIn(given: string): Broker {
  const form = 'expected a URL such as mqtt://user:password@host:1883 or mqtts://host:8883';
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isBroker =
    url !== undefined && /^mqtts?:$/.test(url.protocol) && url.hostname !== '' && /^\/?$/.test(url.pathname);
  if (!isBroker || url.search !== '' || url.hash !== '') throw new Error(form);
  let [username, password] = [url.username, url.password];
  try {
    [username, password] = [decodeURIComponent(username), decodeURIComponent(password)];
  } catch {
    throw new Error(`${form}, with %25 for a % in the password`);
  }
  return {
    url: `${url.protocol}//${url.host}`,
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
  };
}

/** How a UUID of version 4 differs from others [RFC 9562, 5.4]. */
const VERSION_4 = /^.{14}4.{4}[89ab]/i;

function uuidOrNothing(given: string): string | undefined {
  if (given === '') return undefined;
  if (!isUuid(given) || !VERSION_4.test(given)) throw new Error('expected a UUID v4');
  return given.toLowerCase();
}
