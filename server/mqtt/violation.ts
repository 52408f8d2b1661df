/**
 * A client broke the protocol: its connection is closed without an answer [MQTT-4.8.0-1], which is all that MQTT 3.1.1
 * has for it. The message is for the log and names the rule.
 */
export class ProtocolViolation extends Error {
  override name = 'ProtocolViolation';
}

/** A client went beyond what is allowed to one. */
export class LimitReached extends ProtocolViolation {
  override name = 'LimitReached';
}
