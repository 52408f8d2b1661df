import type { Device } from './device.js';

/** What is stored of a device; its presence is not part of it. */
export interface DeviceRecord {
  name: string;
  description: string;
  status: Device['status'];
  allow_insecure: boolean;
  allow_multiple_connections: boolean;
  created_at: string;
  updated_at: string;
  /** SHA-256 of the password, in hexadecimal digits. */
  password_sha256: string;
  /** SHA-256 of its present client certificate, in hexadecimal digits; devices made before there were any have none. */
  certificate_sha256?: string;
}

/** What a device may be created with. */
export interface NewDevice {
  name: string;
  description?: string;
  allow_insecure?: boolean;
  allow_multiple_connections?: boolean;
}

/** What may be changed of a device later; what is not named stays. */
export type DeviceChanges = Partial<
  Pick<DeviceRecord, 'description' | 'allow_insecure' | 'allow_multiple_connections'>
>;

/** The registry's file for a device: 256 of them, by the first two digits of its id. */
export const shardOf = (folder: 'devices' | 'activity', id: string): string => `${folder}/${id.slice(0, 2)}`;
