import type { JSX } from 'preact';
import { say } from '../state/say.js';
import { type Span, summaryText, type Timeline } from '../state/timeline.js';

interface PictureProps {
  readonly range: 'day' | 'week';
  readonly timeline: Timeline;
  /** The texts below the picture, each at its time. */
  readonly marks: readonly { readonly at: number; readonly text: string }[];
}

const LANES = ['armed', 'open', 'ringing'] as const;
const LANE_HEIGHT = 28;
const BAR_HEIGHT = 18;
const HEIGHT = LANES.length * LANE_HEIGHT;
/** The least width of a bar, in percent of the whole, so that a short one can be seen. */
const LEAST_WIDTH = 0.4;

/** Three lanes of time. Hatches and dots over all of them show the times that are not known. */
export function TimelinePicture({ range, timeline, marks }: PictureProps): JSX.Element {
  const share = (at: number): number => (100 * (at - timeline.from)) / (timeline.to - timeline.from);
  const across = ({ from, to }: Span) => ({
    x: `${share(from)}%`,
    width: `${Math.max(LEAST_WIDTH, share(to) - share(from))}%`,
  });
  return (
    <div class="picture">
      <div class="lane-names" aria-hidden="true">
        {LANES.map((lane) => (
          <span key={lane}>{say(`lane.${lane}`)}</span>
        ))}
      </div>
      <svg height={HEIGHT} role="img" aria-label={summaryText(range, timeline)}>
        <Hatches />
        {LANES.map((lane, index) => (
          <g key={lane} class={`lane lane-${lane}`}>
            <rect class="track" x="0" y={laneTop(index)} width="100%" height={BAR_HEIGHT} rx="4" />
            {timeline[lane].map((span) => (
              <rect key={span.from} {...across(span)} y={laneTop(index)} height={BAR_HEIGHT} rx="2" />
            ))}
          </g>
        ))}
        {timeline.lost.map((span) => (
          <rect key={span.from} class="lost" {...across(span)} y="0" height={HEIGHT} />
        ))}
        {timeline.unrecorded.map((span) => (
          <rect key={span.from} class="unrecorded" {...across(span)} y="0" height={HEIGHT} />
        ))}
      </svg>
      <div class="marks" aria-hidden="true">
        {marks.map(({ at, text }) => (
          <span key={at} style={{ left: `${share(at)}%` }}>
            {text}
          </span>
        ))}
      </div>
      <p class="legend" aria-hidden="true">
        <span class="swatch swatch-lost" /> {say('legend.lost')} <span class="swatch swatch-unrecorded" />{' '}
        {say('legend.unrecorded')}
      </p>
    </div>
  );
}

const laneTop = (index: number): number => index * LANE_HEIGHT + (LANE_HEIGHT - BAR_HEIGHT) / 2;

const Hatches = (): JSX.Element => (
  <defs>
    <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="hatch-ground" width="6" height="6" />
      <rect class="hatch-line" width="2" height="6" />
    </pattern>
    <pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">
      <rect class="dots-ground" width="6" height="6" />
      <circle class="hatch-line" cx="3" cy="3" r="1.2" />
    </pattern>
  </defs>
);
