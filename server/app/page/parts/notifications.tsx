import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { NoticeWork } from '../client/notice-work.js';
import { permission } from '../client/notices.js';
import { deliveryText, SHOWN_DELIVERIES } from '../state/alerts.js';
import { type AppState, serverNow } from '../state/app.js';
import { contactOf, PUSH_TEXTS } from '../state/push.js';

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
      <h2>Notifications</h2>
      <p role="status">
        {PUSH_TEXTS[push]} {outcome}
      </p>
      {push === 'off' && button('Switch on', () => work?.switchOn(), 'primary')}
      {push === 'on' && (
        <div class="buttons">
          {button('Send a test', () => work?.test())}
          {button('Switch off', () => work?.switchOff())}
        </div>
      )}
      {push === 'not-offered' &&
        permission() === 'default' &&
        button('Allow notifications', () => work?.allow(), 'primary')}
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
      <label for="contact">
        The server can send to phones by the push services of their browsers (Google, Mozilla, Apple). They
        cannot read the messages, and get your mail address in case of trouble.
      </label>
      <input
        id="contact"
        name="contact"
        type="email"
        autocomplete="email"
        placeholder="name@example.org"
        aria-describedby="contact-fault"
        aria-invalid={isWrong}
      />
      <button type="submit" class="primary">
        Let the server send
      </button>
      <p id="contact-fault" class="fault" role="alert">
        {isWrong && 'That is no mail address.'}
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
      <h2>Last messages</h2>
      <ul class="alerts">
        {last.map((delivery) => (
          <li key={delivery.id}>
            <p>
              <strong>{delivery.title}</strong>
              <br />
              {delivery.channel}: {deliveryText(delivery, serverNow(state))}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
