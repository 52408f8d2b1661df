import { type CampaignOptions, type CampaignReport, campaign } from './campaign.js';
import type { Fuzz } from './fuzz.js';
import { httpFuzz } from './http.js';
import { jsonFuzz } from './json.js';
import { livesFuzz } from './lives.js';
import { mqttFuzz } from './mqtt.js';

/** A kind of bad input, ready to be put to a server. */
export interface Runnable {
  readonly unit: string;
  run(options: CampaignOptions): Promise<CampaignReport>;
}

const runnable = <Input>(fuzz: Fuzz<Input>): [string, Runnable] => [
  fuzz.name,
  { unit: fuzz.unit, run: (options) => campaign(fuzz, options) },
];

/** By name. */
export const FUZZES: ReadonlyMap<string, Runnable> = new Map([
  runnable(mqttFuzz),
  runnable(httpFuzz),
  runnable(jsonFuzz),
  runnable(livesFuzz),
]);
