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
