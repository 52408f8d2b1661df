/** The other servers that share the clients of this one. */
export interface OtherServers {
  /** How many servers share the clients, this one included: at least 1. What a client may do in a time is divided by it. */
  liveNodes(): number;
  /** This server blocks a source, or a device that is known there, for so many milliseconds from now. */
  tellBlock(blocked: string, ms: number): void;
  /** Calls with each block of another server, in the same form. It may call more than once for the same block. */
  onBlock(hear: (blocked: string, ms: number) => void): void;
}

/** A server that shares its clients with no other. */
export const ALONE: OtherServers = {
  liveNodes: () => 1,
  tellBlock: () => undefined,
  onBlock: () => undefined,
};
