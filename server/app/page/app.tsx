import type { JSX } from 'preact';
import { later } from './client/later-parts.js';
import type { Program } from './client/program.js';
import { FaultText, Toast } from './parts/warnings.js';
import { Alarm } from './screens/alarm.js';
import { List } from './screens/list.js';
import { PanelScreen } from './screens/panel.js';
import { type AppState, alarming, missedAlarm, panelOf, serverNow, shownId } from './state/app.js';
import { say } from './state/say.js';
import { clockText, durationText } from './state/time-text.js';

interface AppProps {
  readonly state: AppState;
  readonly program: Program;
}

export function App({ state, program }: AppProps): JSX.Element {
  const { store } = program;
  if (state.token === undefined) {
    const parts = later();
    return parts === undefined ? <Loading /> : <parts.Pairing fault={state.fault} onPair={program.pair} />;
  }
  const ringing = alarming(state);
  return (
    <>
      <Screen state={state} program={program} />
      <Toasts state={state} program={program} />
      {ringing !== undefined && (
        <Alarm
          key={ringing.id}
          state={state}
          panel={ringing}
          onOrder={(order) => program.order(ringing.id, order)}
          onWithdraw={() => store.dispatch({ type: 'withdrawn', id: ringing.id })}
          onRetry={program.retry}
          onSilence={() => store.dispatch({ type: 'silenced', id: ringing.id })}
        />
      )}
    </>
  );
}

function Screen({ state, program }: AppProps): JSX.Element {
  const panel = panelOf(state, shownId(state));
  if (state.screen !== 'panels') return <Other state={state} program={program} />;
  if (panel === undefined) return <List state={state} />;
  return (
    <PanelScreen
      key={panel.id}
      state={state}
      panel={panel}
      onOrder={(order) => program.order(panel.id, order)}
      onWithdraw={() => program.store.dispatch({ type: 'withdrawn', id: panel.id })}
      onRetry={program.retry}
    />
  );
}

/** The screens that the first one does without. */
function Other({ state, program }: AppProps): JSX.Element {
  const parts = later();
  const { notices: work, settings, setPin, unpair } = program;
  if (parts === undefined) return <Loading />;
  if (state.screen === 'alerts') return <parts.Alerts state={state} work={work} />;
  return <parts.Phone state={state} work={work} settings={settings} onPin={setPin} onUnpair={unpair} />;
}

const Loading = (): JSX.Element => (
  <main>
    <h1>{say('app.name')}</h1>
    <p role="status">{say('loading.part')}</p>
  </main>
);

/** What went wrong, and an alarm that this phone has not shown yet. */
function Toasts({ state, program }: AppProps): JSX.Element {
  const { store } = program;
  const id = shownId(state);
  const missed = id === undefined ? undefined : missedAlarm(state, id);
  return (
    <div class="toasts" role="alert">
      {id !== undefined && missed !== undefined && (
        <Toast onClose={() => store.dispatch({ type: 'alarm-seen', id })}>
          {say('rang.missed', {
            time: clockText(missed.from, serverNow(state)),
            duration: durationText(missed.to - missed.from),
          })}
        </Toast>
      )}
      {state.fault !== undefined && (
        <Toast onClose={() => store.dispatch({ type: 'fault-read' })}>
          <FaultText fault={state.fault} />
        </Toast>
      )}
    </div>
  );
}
