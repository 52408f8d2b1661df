import type { JSX, TargetedEvent } from 'preact';

interface SubscriptionsProps {
  readonly filters: readonly string[];
  readonly onSubscribe: (filter: string) => void;
  readonly onUnsubscribe: (filter: string) => void;
}

export function Subscriptions({ filters, onSubscribe, onUnsubscribe }: SubscriptionsProps): JSX.Element {
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSubscribe(String(new FormData(event.currentTarget).get('filter')));
  };
  return (
    <form class="card" onSubmit={submit}>
      <h2>Subscriptions</h2>
      <ul>
        {filters.map((filter) => (
          <li key={filter} class="row">
            <code>{filter}</code>
            <button
              type="button"
              class="plain"
              aria-label={`Unsubscribe from ${filter}`}
              onClick={() => onUnsubscribe(filter)}
            >
              Unsubscribe
            </button>
          </li>
        ))}
      </ul>
      <label>
        Topic filter
        <input
          name="filter"
          required
          autocomplete="off"
          spellcheck={false}
          defaultValue="$SCW/twins/me/+/changed"
        />
      </label>
      <div class="row">
        <button type="submit" class="plain">
          Subscribe
        </button>
      </div>
    </form>
  );
}
