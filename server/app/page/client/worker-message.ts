/** What the service worker asks of an open window after a person has touched a notification. */

export interface WorkerMessage {
  /** `disarm`: the person has pressed "Disarm" in the notification. */
  readonly kind: 'open' | 'disarm';
  /** Null for the server itself. */
  readonly panelId: string | null;
}

/** Only the worker of this very page can send such a message. A link cannot, so no link disarms. */
export function hearWorker(onMessage: (message: WorkerMessage) => void): void {
  const { serviceWorker } = navigator;
  serviceWorker?.addEventListener('message', ({ data }: MessageEvent<WorkerMessage>) => onMessage(data));
  serviceWorker?.startMessages();
}
