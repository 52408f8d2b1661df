/** The few REST calls of `npm start`. */

import { DESIRED, type DesiredDocument } from '../../../shared/panel.js';

export class Api {
  constructor(
    /** What the documentation's curl lines call `$IOT_API`. */
    readonly base: string,
    readonly token: string,
  ) {}

  async knowsDevice(id: string): Promise<boolean> {
    const { status } = await this.#call('GET', `/devices/${id}`);
    return status === 200;
  }

  async createDevice(name: string): Promise<{ id: string; password: string }> {
    const response = await this.#call('POST', '/devices', { name, allow_insecure: true });
    if (!response.ok) throw new Error(`the server did not create a device: ${await response.text()}`);
    const { device, password } = (await response.json()) as { device: { id: string }; password: string };
    return { id: device.id, password };
  }

  async setArmed(deviceId: string, armed: boolean): Promise<void> {
    const data: DesiredDocument = { alarm_armed: armed };
    const response = await this.#call('PUT', `/twins/${deviceId}/documents/${DESIRED}`, { data });
    if (!response.ok) throw new Error(`the server refused: ${await response.text()}`);
  }

  #call(method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${this.base}${path}`, {
      method,
      headers: { 'X-Auth-Token': this.token },
      body: body === undefined ? null : JSON.stringify(body),
    });
  }
}
