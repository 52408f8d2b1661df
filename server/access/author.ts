/** The client that asks for a change: a token or a device. */
export interface Author {
  /**
   * Checks that the author may still make this change. It is called in the turn in which the change is decided, because the
   * rights may have changed while the request waited. What it throws refuses the change.
   */
  judge(): void;
}
