import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { NoticeWork } from '../client/notice-work.js';
import { permission } from '../client/notices.js';
import { deliveryText, messageTitle, SHOWN_DELIVERIES } from '../state/alerts.js';
import { type AppState, serverNow } from '../state/app.js';
import { contactOf } from '../state/push.js';
import { say } from '../state/say.js';

interface NotificationsProps {
  readonly state: AppState;
  readonly work: NoticeWork | undefined;
}

/** Whether this phone hears of alerts, and the buttons that change it. */
export function Notifications({ state, work }: NotificationsProps): JSX.Element {
  const { push, isBusy, outcome } = state.notices;
  const button = (text: string, onPress: () => void, kind = 'plain') => (
    <button type="button" class={kind} aria-disabled={isBusy} onClick={() => isBusy || onPress()}>
      {text}
    </button>
  );
  return (
    <section>
      <h2>{say('push.title')}</h2>
      <p role="status">
        {say(`push.${push}`)} {outcome}
      </p>
      {push === 'off' && button(say('push.switch-on'), () => work?.switchOn(), 'primary')}
      {push === 'on' && (
        <div class="buttons">
          {button(say('push.send-test'), () => work?.test())}
          {button(say('push.switch-off'), () => work?.switchOff())}
        </div>
      )}
      {push === 'not-offered' &&
        permission() === 'default' &&
        button(say('push.allow'), () => work?.allow(), 'primary')}
      {push === 'not-offered' && state.role === 'owner' && <Offer work={work} />}
    </section>
  );
}

/** The owner lets the server send to push services. They want an address of the owner. */
function Offer({ work }: Pick<NotificationsProps, 'work'>): JSX.Element {
  const [isWrong, setWrong] = useState(false);
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const contact = contactOf(String(new FormData(event.currentTarget).get('contact')));
    setWrong(contact === undefined);
    if (contact !== undefined) work?.offer(contact);
  };
  return (
    <form class="offer" onSubmit={submit} noValidate>
      <label for="contact">{say('push.offer')}</label>
      <input
        id="contact"
        name="contact"
        type="email"
        autocomplete="email"
        placeholder={say('push.offer.example')}
        aria-describedby="contact-fault"
        aria-invalid={isWrong}
      />
      <button type="submit" class="primary">
        {say('push.offer.button')}
      </button>
      <p id="contact-fault" class="fault" role="alert">
        {isWrong && say('push.offer.wrong')}
      </p>
    </form>
  );
}

/** What became of the last messages; only an owner gets them from the server. */
export function Deliveries({ state }: { state: AppState }): JSX.Element | null {
  const last = state.notices.deliveries.slice(0, SHOWN_DELIVERIES);
  if (last.length === 0) return null;
  return (
    <section>
      <h2>{say('delivery.title')}</h2>
      <ul class="alerts">
        {last.map((delivery) => (
          <li key={delivery.id}>
            <p>
              <strong>{messageTitle(delivery)}</strong>
              <br />
              {say('delivery.line', {
                channel: delivery.channel,
                outcome: deliveryText(delivery, serverNow(state)),
              })}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
