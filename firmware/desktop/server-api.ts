/** The REST calls of `npm start` and `npm run flash`, which make and know devices on a server. */

import {
  type Ask,
  authorityOf,
  hubOf,
  orderArmed,
  pathOf,
  type RestError,
  refusalText,
  restErrorOf,
  TOKEN_HEADER,
} from '../../shared/rest.js';

/** The server refused a call, or gave no answer. */
class ServerRefused extends Error {
  override name = 'ServerRefused';
  constructor(
    message: string,
    readonly error: RestError = {},
  ) {
    super(message);
  }
}

export interface NewDevice {
  id: string;
  password: string;
}

/** The credentials of a device. Certificate and key are in PEM. */
export interface Proof {
  password: string;
  certificate: { crt: string; key: string };
}

interface ServerFacts {
  /** Where devices connect with TLS, host:port. */
  endpoint: string;
  /** The certificate of the server's authority, in PEM. */
  authority: string;
}

export const DEVICES = pathOf('devices');
/** The TLS of the Moddable SDK proves a device with an RSA key only. */
export const renewalPath = (id: string): string => `${pathOf('devices', id)}/renew-certificate?key_type=rsa`;

/** Every call may throw ServerRefused. */
export class ServerApi {
  constructor(
    /** As `apiBase` makes it. */
    readonly base: string,
    readonly token: string,
  ) {}

  async facts(): Promise<ServerFacts> {
    const hub = await hubOf(this.#ask);
    return { endpoint: hub.endpoint, authority: await authorityOf(this.#ask, hub) };
  }

  async knowsDevice(id: string): Promise<boolean> {
    const { status } = await this.#fetch('GET', pathOf('devices', id));
    return status === 200;
  }

  /** Whether the server knows the token of this secret. */
  async knowsToken(secret: string): Promise<boolean> {
    const { status } = await this.#fetch('GET', pathOf('tokens', 'self'), undefined, secret);
    return status === 200;
  }

  /** Resolves with the secret of a new token. */
  async createToken(token: { role: string; description: string }): Promise<string> {
    return ((await this.#ask('POST', pathOf('tokens'), token)) as { secret: string }).secret;
  }

  /** @param device `name`, and whether it may connect with its password and without TLS */
  async createDevice(device: { name: string; allow_insecure?: boolean }): Promise<NewDevice> {
    const made = (await this.#ask('POST', DEVICES, device)) as { device: { id: string }; password: string };
    return { id: made.device.id, password: made.password };
  }

  /** The device may connect with its password and without TLS. */
  async allowInsecure(id: string): Promise<void> {
    await this.#ask('PATCH', pathOf('devices', id), { allow_insecure: true });
  }

  /** Replaces the credentials of a device. */
  async renew(id: string): Promise<Proof> {
    return (await this.#ask('POST', renewalPath(id))) as Proof;
  }

  async setArmed(id: string, armed: boolean): Promise<void> {
    await orderArmed(this.#ask, id, { armed }, (error) =>
      error instanceof ServerRefused ? error.error : {},
    );
  }

  readonly #ask: Ask = async (method, path, body) => {
    const response = await this.#fetch(method, path, body);
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    const { status } = response;
    const error = restErrorOf(answer);
    throw new ServerRefused(`the server refused (${status}): ${refusalText(status, error)}`, error);
  };

  async #fetch(method: string, path: string, body?: object, token = this.token): Promise<Response> {
    try {
      return await fetch(`${this.base}${path}`, {
        method,
        headers: { [TOKEN_HEADER]: token },
        body: body === undefined ? null : JSON.stringify(body),
      });
    } catch {
      throw new ServerRefused(`no answer from ${this.base}: is the server running? --url says where it is`);
    }
  }
}
