/** The board as a Wi-Fi station: with its access point and with an address, again and again. */

import type { Network, Timers } from '../../board.js';
import type { PanelConfig } from '../../config.js';

/** `embedded:network/interface/wifi` (ECMA-419), as far as it is used. */
export interface WiFi {
  connect(accessPoint: AccessPoint): void;
  disconnect(): void;
  /** 200: disconnected, 300: connecting, 400: connected, 500: with its addresses. */
  readonly connection: number;
  readonly address: string | undefined;
}

export interface AccessPoint {
  SSID: string;
  /** Empty for an open network. */
  password?: string;
}

const DISCONNECTED = 200;
const CONNECTED = 400;

interface StationPorts {
  /** `onChanged` may come often, and may be missing now and then. */
  open: (onChanged: () => void) => WiFi;
  timers: Timers;
  ticks: () => number;
  trace: (line: string) => void;
  /** Called at every gain and loss. */
  onChange: () => void;
}

/**
 * Looked at afresh at every event and every interval: the SDK tells neither of a lease that is lost nor of every
 * failed attempt. What has not come to an address in time begins anew.
 */
export class Station implements Network {
  private readonly ports: StationPorts;
  private readonly accessPoint: AccessPoint;
  private readonly patience: number;
  private readonly wifi: WiFi;
  online = false;
  /** When the present attempt began, in ticks. */
  private begunAt = 0;

  constructor(
    accessPoint: AccessPoint,
    { wifiInterval, wifiPatience }: Pick<PanelConfig, 'wifiInterval' | 'wifiPatience'>,
    ports: StationPorts,
  ) {
    this.accessPoint = accessPoint;
    this.patience = wifiPatience;
    this.ports = ports;
    this.wifi = ports.open(() => this.look());
    ports.timers.repeat(() => this.watch(), wifiInterval);
    this.connect();
  }

  private look(): void {
    const address = this.wifi.address;
    // An address of IPv6 alone leads to no server here.
    const online = this.wifi.connection >= CONNECTED && address?.includes('.') === true;
    if (online === this.online) return;
    this.online = online;
    this.ports.trace(online ? `wifi: online as ${address}` : 'wifi: offline');
    this.ports.onChange();
  }

  private watch(): void {
    this.look();
    if (this.online) return;
    if (this.wifi.connection === DISCONNECTED) return this.connect();
    if (this.ports.ticks() - this.begunAt < this.patience) return;
    this.ports.trace('wifi: no address in time');
    this.wifi.disconnect();
  }

  private connect(): void {
    this.begunAt = this.ports.ticks();
    try {
      this.wifi.connect(this.accessPoint);
    } catch (error) {
      this.ports.trace(`wifi: ${error}`);
    }
  }
}
