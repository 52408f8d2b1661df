/** A device as REST shows it. The fields are those of the Scaleway IoT Hub API. */
export interface Device {
  id: string;
  name: string;
  description: string;
  status: 'enabled' | 'disabled' | 'error';
  hub_id: string;
  /** RFC 3339, or null if it never connected. */
  last_activity_at: string | null;
  is_connected: boolean;
  allow_insecure: boolean;
  allow_multiple_connections: boolean;
  has_custom_certificate: boolean;
  created_at: string;
  updated_at: string;
  region: string;
}

/** A device as it is stored. Its presence is stored elsewhere. */
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
  /** SHA-256 of its present client certificate, in hexadecimal digits. Devices of the first versions have none. */
  certificate_sha256?: string;
}

/** The fields that a new device may be given. */
export interface NewDevice {
  name: string;
  description?: string;
  allow_insecure?: boolean;
  allow_multiple_connections?: boolean;
}

/** The fields of a device that may be changed. Fields that are not given stay. */
export type DeviceChanges = Partial<
  Pick<DeviceRecord, 'name' | 'description' | 'allow_insecure' | 'allow_multiple_connections'>
>;
