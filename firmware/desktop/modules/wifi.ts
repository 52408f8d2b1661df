/** `embedded:network/interface/wifi` (ECMA-419): the station whose access point and DHCP server Node plays. */

import { ask, listen } from './host.js';

class WiFi {
  constructor({ onChanged }: { onChanged: () => void }) {
    listen('wifi', onChanged);
  }

  connect(_accessPoint: { SSID: string; password?: string }): void {
    ask('wifi.connect');
  }

  disconnect(): void {
    ask('wifi.disconnect');
  }

  get connection(): number {
    return ask('wifi').head.connection;
  }

  get address(): string | undefined {
    return ask('wifi').head.address;
  }
}

export default WiFi;
