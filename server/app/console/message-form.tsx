import type { JSX, TargetedEvent } from 'preact';
import { EXAMPLES, type Message } from './examples.js';

interface MessageFormProps {
  readonly onPublish: (message: Message, qos: 0 | 1 | 2) => void;
}

const QOS = [0, 1, 2] as const;

/** Publishes a ready-made message, or one that the person writes. */
export function MessageForm({ onPublish }: MessageFormProps): JSX.Element {
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const message = { topic: String(form.get('topic')), payload: String(form.get('payload')) };
    onPublish(message, QOS.find((qos) => String(qos) === form.get('qos')) ?? 0);
  };
  return (
    <section class="card">
      <h2>Publish</h2>
      <div class="row">
        {EXAMPLES.map(({ name, messages }) => (
          <button
            key={name}
            type="button"
            class="plain"
            onClick={() => {
              for (const message of messages) onPublish(message, 1);
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <form onSubmit={submit}>
        <label>
          Topic
          <input
            name="topic"
            required
            autocomplete="off"
            spellcheck={false}
            defaultValue="$SCW/twins/me/desired/get"
          />
        </label>
        <label>
          Payload
          <textarea name="payload" rows={4} spellcheck={false} defaultValue="{}" />
        </label>
        <div class="row">
          <label class="inline">
            QoS
            <select name="qos">
              {QOS.map((qos) => (
                <option key={qos} value={qos}>
                  {qos}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" class="primary">
            Publish
          </button>
        </div>
      </form>
    </section>
  );
}
