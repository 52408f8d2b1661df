/** The REST calls of `npm start` and `npm run flash`, which make and know devices on a server. */

import { DESIRED, type DesiredDocument } from '../../shared/panel.js';
import { documentPath, pathOf, refusalText, restErrorOf, TOKEN_HEADER } from '../../shared/rest.js';

/** The server refused a call, or gave no answer. */
export class ServerRefused extends Error {
  override name = 'ServerRefused';
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

export interface ServerFacts {
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
    const { hubs } = await this.#call<{ hubs: { id: string; endpoint: string }[] }>('GET', pathOf('hubs'));
    const [hub] = hubs;
    if (hub === undefined) throw new ServerRefused('the server has no hub');
    const path = `${pathOf('hubs', hub.id)}/ca`;
    const { ca_cert_pem } = await this.#call<{ ca_cert_pem: string }>('GET', path);
    return { endpoint: hub.endpoint, authority: ca_cert_pem };
  }

  async knowsDevice(id: string): Promise<boolean> {
    const { status } = await this.#fetch('GET', pathOf('devices', id));
    return status === 200;
  }

  /** @param device `name`, and whether it may connect with its password and without TLS */
  async createDevice(device: { name: string; allow_insecure?: boolean }): Promise<NewDevice> {
    const made = await this.#call<{ device: { id: string }; password: string }>('POST', DEVICES, device);
    return { id: made.device.id, password: made.password };
  }

  /** The device may connect with its password and without TLS. */
  async allowInsecure(id: string): Promise<void> {
    await this.#call('PATCH', pathOf('devices', id), { allow_insecure: true });
  }

  /** Replaces the credentials of a device. */
  renew(id: string): Promise<Proof> {
    return this.#call('POST', renewalPath(id));
  }

  async setArmed(id: string, armed: boolean): Promise<void> {
    const data: DesiredDocument = { alarm_armed: armed };
    await this.#call('PUT', documentPath(id, DESIRED), { data });
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#fetch(method, path, body);
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer as T;
    const { status } = response;
    throw new ServerRefused(`the server refused (${status}): ${refusalText(status, restErrorOf(answer))}`);
  }

  async #fetch(method: string, path: string, body?: object): Promise<Response> {
    try {
      return await fetch(`${this.base}${path}`, {
        method,
        headers: { [TOKEN_HEADER]: this.token },
        body: body === undefined ? null : JSON.stringify(body),
      });
    } catch {
      throw new ServerRefused(`no answer from ${this.base}: is the server running? --url says where it is`);
    }
  }
}
