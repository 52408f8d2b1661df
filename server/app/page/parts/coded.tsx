import type { JSX } from 'preact';

/** A text in which what stands between `` ` `` is code. */
export const Coded = ({ text }: { text: string }): JSX.Element => (
  <>{text.split('`').map((part, index) => (index % 2 === 0 ? part : <code key={part}>{part}</code>))}</>
);
