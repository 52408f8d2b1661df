import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { happeningsIn } from '../state/happenings.js';
import type { Made } from '../state/orders.js';
import type { Run } from '../state/runs.js';
import { say } from '../state/say.js';
import { DAY, hourText, secondsText, weekdayText } from '../state/time-text.js';
import { marksIn, timelineOf } from '../state/timeline.js';
import { Icon, KIND_ICONS } from './icon.js';
import { TimelinePicture } from './timeline-picture.js';

interface PastProps {
  /** Undefined until it is read. */
  readonly runs: readonly Run[] | undefined;
  /** Oldest first. */
  readonly orders: readonly Made[] | undefined;
  /** When the contact with the panel was lost; undefined while there is contact. */
  readonly lostAt: number | undefined;
  /** The server's clock. */
  readonly now: number;
}

const RANGES = {
  day: {
    length: DAY,
    isMark: (date: Date) => date.getHours() % 6 === 0,
    markText: hourText,
  },
  week: {
    length: 7 * DAY,
    isMark: (date: Date) => date.getHours() === 0,
    markText: weekdayText,
  },
} as const;

type Range = keyof typeof RANGES;

const SHOWN_FIRST = 12;
/** The picture moves on this often, in milliseconds. */
const STEP_MS = 30_000;

/** The timeline: a picture of the last day or week, and the list of what happened. */
export function Past({ runs = [], orders, lostAt, now }: PastProps): JSX.Element {
  const [range, setRange] = useState<Range>('day');
  const [isWhole, setWhole] = useState(false);
  const { length, isMark, markText } = RANGES[range];
  const end = Math.ceil(now / STEP_MS) * STEP_MS;
  const window = { from: end - length, to: end };
  const happenings = happeningsIn(runs, window, lostAt, orders);
  const shown = isWhole ? happenings : happenings.slice(0, SHOWN_FIRST);
  return (
    <section class="past" aria-labelledby="past">
      <div class="past-head">
        <h2 id="past">{say('past.title')}</h2>
        <div class="ranges">
          {(Object.keys(RANGES) as Range[]).map((each) => (
            <button key={each} type="button" aria-pressed={each === range} onClick={() => setRange(each)}>
              {say(`range.${each}`)}
            </button>
          ))}
        </div>
      </div>
      <TimelinePicture
        range={range}
        timeline={timelineOf(runs, window, lostAt)}
        marks={marksIn(window, isMark).map((at) => ({ at, text: markText(at) }))}
      />
      <ol class="happenings">
        {shown.map(({ kind, at, text }) => (
          <li key={`${at} ${kind}`} class={kind}>
            <Icon name={KIND_ICONS[kind]} />
            <span>{text}</span>
            <time dateTime={new Date(at).toISOString()}>{secondsText(at, now)}</time>
          </li>
        ))}
      </ol>
      {happenings.length === 0 && <p class="quiet">{say('past.nothing')}</p>}
      {shown.length < happenings.length && (
        <button type="button" class="plain" onClick={() => setWhole(true)}>
          {say('past.all', { count: happenings.length })}
        </button>
      )}
    </section>
  );
}
