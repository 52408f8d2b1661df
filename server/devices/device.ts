/** A device as REST shows it; the fields are those of the Scaleway IoT Hub API. */
export interface Device {
  id: string;
  name: string;
  description: string;
  status: 'enabled' | 'disabled' | 'error';
  hub_id: string;
  /** RFC 3339, or null when it never connected. */
  last_activity_at: string | null;
  is_connected: boolean;
  allow_insecure: boolean;
  allow_multiple_connections: boolean;
  has_custom_certificate: boolean;
  created_at: string;
  updated_at: string;
  region: string;
}

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
