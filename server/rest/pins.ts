import type { JsonObject } from '../../shared/document.js';
import { PIN, type Pins } from '../access/pins.js';
import { TokenNotFound, type Tokens } from '../access/tokens.js';
import { InvalidRequest } from '../twins/errors.js';
import { WORK } from '../work.js';
import type { Call } from './call.js';
import type { Router } from './router.js';

/**
 * `PUT /tokens/self/pin {"pin":"4711","current_pin"?}` gives the token itself a PIN, or with null none; where it has one, that
 * must be given. `PUT /tokens/{id}/pin {"pin"}` is for owners, who need not know the PIN of another token.
 */
export function routePins(router: Router, tokens: Tokens, pins: Pins): void {
  router.on('PUT', '/tokens/self/pin', { resource: 'own_token', action: 'write' }, (call) =>
    setOwn(call, pins),
  );

  router.on('PUT', '/tokens/:token_id/pin', { resource: 'token', action: 'write' }, async (call) => {
    const id = call.id('token_id');
    if (id === call.token.id) return setOwn(call, pins);
    const { pin } = await pinsIn(call);
    if (tokens.list().every((token) => token.id !== id)) throw new TokenNotFound(id);
    await pins.set(id, pin, call);
    changed(call, id);
  });
}

async function setOwn(call: Call, pins: Pins): Promise<void> {
  const { id } = call.token;
  const { pin, current } = await pinsIn(call);
  if (pins.has(id)) call.spend(WORK.pin);
  await pins.check(id, current);
  await pins.set(id, pin, call);
  changed(call, id);
}

function changed(call: Call, id: string): void {
  call.audit('pin_changed', { token_id: id });
  call.sendNothing();
}

async function pinsIn(call: Call): Promise<{ pin: string | null; current: string | undefined }> {
  const body = await call.object();
  call.spend(WORK.pin);
  const pin = pinIn(body, 'pin');
  if (pin === undefined) throw new InvalidRequest('pin', 'required', 'a PIN, or null for none');
  return { pin, current: pinIn(body, 'current_pin') ?? undefined };
}

function pinIn(body: JsonObject, name: string): string | null | undefined {
  const given = Object.hasOwn(body, name) ? body[name] : undefined;
  if (given === undefined || given === null) return given;
  if (typeof given === 'string' && PIN.test(given)) return given;
  throw new InvalidRequest(name, 'format', 'not 4 to 12 digits in a text');
}

/** A write of `desired`. */
interface Wish {
  readonly method: 'PUT' | 'PATCH';
  readonly data: JsonObject;
  /** What stands beside the data. */
  readonly pin: string | undefined;
}

/**
 * Calls back in a turn in which the token may write this: at once, unless it has a PIN and the write disarms. Then the PIN is
 * checked first.
 */
export function withPin(call: Call, pins: Pins, wish: Wish, then: () => void): void {
  if (!disarms(wish) || !pins.has(call.token.id)) return then();
  call.spend(WORK.pin);
  pins
    .check(call.token.id, wish.pin)
    .then(() => {
      call.judge();
      then();
    })
    .catch((error) => call.fail(error));
}

/** A put without `alarm_armed`, and a patch that removes it, leave no order to be armed. */
const disarms = ({ method, data }: Wish): boolean =>
  Object.hasOwn(data, 'alarm_armed') ? data.alarm_armed !== true : method === 'PUT';
