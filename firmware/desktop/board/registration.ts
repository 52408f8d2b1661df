/** The board's device on the server, by REST. */

/** What the server says about a call that it refuses. */
export class ServerRefused extends Error {
  override name = 'ServerRefused';
}

/** What a board proves itself with. Certificates and key in PEM. */
export interface Proof {
  password: string;
  certificate: { crt: string; key: string };
}

export interface ServerFacts {
  /** Where devices connect, host:port. */
  endpoint: string;
  /** The certificate of its authority, in PEM. */
  authority: string;
}

/** The paths of the calls, which a dry run shows. */
export const CREATE = '/devices';
/** The TLS of the SDK can prove no key but one of RSA. */
export const renewalOf = (id: string): string => `/devices/${id}/renew-certificate?key_type=rsa`;

export class Registration {
  readonly #api: string;
  readonly #token: string;

  constructor(api: string, token: string) {
    this.#api = api;
    this.#token = token;
  }

  async facts(): Promise<ServerFacts> {
    const { hubs } = await this.#call<{ hubs: { id: string; endpoint: string }[] }>('GET', '/hubs');
    const [hub] = hubs;
    if (hub === undefined) throw new ServerRefused('the server has no hub');
    const { ca_cert_pem } = await this.#call<{ ca_cert_pem: string }>('GET', `/hubs/${hub.id}/ca`);
    return { endpoint: hub.endpoint, authority: ca_cert_pem };
  }

  async knows(id: string): Promise<boolean> {
    const { status } = await this.#fetch('GET', `/devices/${id}`);
    return status === 200;
  }

  /** @returns the id of a new device */
  async create(name: string): Promise<string> {
    const made = await this.#call<{ device: { id: string } }>('POST', CREATE, { name });
    return made.device.id;
  }

  /** From now on it may connect without TLS. */
  async allowInsecure(id: string): Promise<void> {
    await this.#call('PATCH', `/devices/${id}`, { allow_insecure: true });
  }

  /** New credentials; the old ones are worth nothing any more. */
  renew(id: string): Promise<Proof> {
    return this.#call<Proof>('POST', renewalOf(id));
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#fetch(method, path, body);
    if (response.ok) return (await response.json()) as T;
    throw new ServerRefused(`${method} ${path}: ${response.status} ${await response.text()}`);
  }

  async #fetch(method: string, path: string, body?: object): Promise<Response> {
    try {
      return await fetch(`${this.#api}${path}`, {
        method,
        headers: { 'X-Auth-Token': this.#token },
        body: body === undefined ? null : JSON.stringify(body),
      });
    } catch {
      throw new ServerRefused(`no answer from ${this.#api}: is the server running? --url says where it is`);
    }
  }
}
