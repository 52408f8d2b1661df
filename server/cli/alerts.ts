import { pathOf } from '../../shared/rest.js';
import { type Call, show, table } from './command.js';

interface Alert {
  readonly id: string;
  readonly kind: string;
  readonly panel: string;
  readonly subject: string;
  readonly state: string;
  readonly raised_at: string;
  readonly acknowledged_by: string | null;
}

export async function listAlerts(call: Call): Promise<void> {
  const answer = (await call.api.call('GET', pathOf('alerts'))) as { alerts: Alert[] };
  await show(call, answer, ({ alerts }) => (alerts.length === 0 ? 'no alerts' : alertTable(alerts)));
}

const alertTable = (alerts: readonly Alert[]): string =>
  table(
    ['id', 'raised', 'state', 'kind', 'panel', 'about'],
    alerts.map(({ id, raised_at, state, kind, panel, subject, acknowledged_by: by }) => [
      id,
      raised_at,
      by === null ? state : `${state} (${by})`,
      kind,
      panel,
      subject,
    ]),
  );

export async function acknowledgeAlert(call: Call): Promise<void> {
  const [id = ''] = call.words;
  const alert = (await call.api.call('POST', pathOf('alerts', id, 'acknowledge'))) as Alert;
  await show(call, alert, ({ state, acknowledged_by: by }) => (by === null ? state : `${state}, by ${by}`));
}

export async function testChannel(call: Call): Promise<void> {
  const [id = ''] = call.words;
  await call.api.call('POST', pathOf('alerts', 'channels', id, 'test'));
  const text = 'A message is on its way. If it does not arrive, GET /alerts/deliveries says why.';
  await show(call, { id, tested: true }, () => text);
}
