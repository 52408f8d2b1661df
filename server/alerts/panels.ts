import { isCurrentDocument } from '../../shared/current-document.js';
import type { CurrentDocument } from '../../shared/panel.js';
import type { Document } from '../twins/document.js';
import type { Facts } from './rules.js';

/** What the rules know of one panel. Times are in milliseconds since 1970. */
export class KnownPanel implements Facts {
  current: CurrentDocument | undefined;
  reportedAt = 0;
  lostSince: number | undefined;
  openSince: number | undefined;
  /** When the rules are asked again without a report. */
  timer: NodeJS.Timeout | undefined;

  /** @returns whether it was armed or disarmed by this report */
  report(document: Document | undefined, isConnected: boolean): boolean {
    const before = this.current;
    const data: unknown = document === undefined ? undefined : JSON.parse(document.data);
    this.current = isCurrentDocument(data) ? data : undefined;
    if (document !== undefined) this.reportedAt = Date.parse(document.updatedAt);
    if (isConnected) this.lostSince = undefined;
    if (this.current?.door_open === true) this.openSince ??= this.reportedAt;
    else this.openSince = undefined;
    return (
      before !== undefined && this.current !== undefined && before.alarm_armed !== this.current.alarm_armed
    );
  }

  /** A panel that comes back counts as lost until it has reported. */
  gone(at: number): void {
    this.lostSince ??= at;
  }
}
