import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { SettingsWork } from '../client/settings-work.js';
import type { Panel } from '../state/panel.js';
import { say } from '../state/say.js';
import { NAME_LENGTH } from '../state/settings.js';

interface PanelNamesProps {
  readonly panels: readonly Panel[];
  readonly work: SettingsWork | undefined;
}

/** Renames the panels. Only an owner may do that. */
export const PanelNames = ({ panels, work }: PanelNamesProps): JSX.Element => (
  <section>
    <h2>{say('names.title')}</h2>
    {panels.map((panel) => (
      <NameForm key={panel.id} panel={panel} work={work} />
    ))}
  </section>
);

function NameForm({ panel, work }: Omit<PanelNamesProps, 'panels'> & { panel: Panel }): JSX.Element {
  const [isSaved, setSaved] = useState(false);
  const submit = async (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name')).trim();
    if (name === '' || name === panel.name) return;
    setSaved((await work?.rename(panel.id, name)) === true);
  };
  const id = `name-${panel.id}`;
  return (
    <form class="name-form" onSubmit={submit}>
      <label for={id}>{say('names.of', { panel: panel.name })}</label>
      <input
        id={id}
        name="name"
        required
        maxLength={NAME_LENGTH}
        defaultValue={panel.name}
        autocomplete="off"
        onInput={() => setSaved(false)}
      />
      <button type="submit" class="plain">
        {say('names.save')}
      </button>
      <p role="status">{isSaved && say('names.saved')}</p>
    </form>
  );
}
