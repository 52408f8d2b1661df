/** The files of the container. There is no container engine here: they are linted, and held to the rules of the house. */

import { readFileSync } from 'node:fs';
import { validate } from 'dockerfile-utils';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDocument } from 'yaml';
import { SETTINGS } from '../../../server/config.js';

const FOLDER = 'server/deploy';

interface Service {
  environment?: Record<string, string>;
  ports?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  restart?: string;
  volumes?: string[];
  network_mode?: string;
  image?: string;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const dockerfile = readFileSync(`${FOLDER}/Dockerfile`, 'utf8');
const [, final = ''] = dockerfile.split(/^(?=FROM )/m).slice(1);

function compose(file: string): Compose {
  const document = parseDocument(readFileSync(`${FOLDER}/${file}`, 'utf8'), { uniqueKeys: true });
  assert.equal([...document.errors, ...document.warnings], []);
  return document.toJS() as Compose;
}

const alone = compose('compose.yaml');
const behindCaddy = compose('compose.caddy.yaml');

const portOf = (address: string): string => /\d+$/.exec(address)?.[0] ?? '';

test('the Dockerfile has no fault, and the linter finds one', () => {
  assert.equal(validate(dockerfile), []);
  assert.ok(validate(dockerfile.replace('USER node', 'USR node')).length > 0);
});

test('every image has a version', () => {
  const images = [
    ...[...dockerfile.matchAll(/^FROM (?:--platform=\S+ )?(\S+)/gm)].map(([, image = '']) => image),
    behindCaddy.services.caddy?.image ?? '',
  ];
  assert.is(images.length, 3);
  for (const image of images) assert.match(image, /^[a-z]+:\d+\.\d+-[a-z0-9.-]+$/);
});

test('the image runs as a user without rights, keeps its data in a volume, and says whether it is well', () => {
  assert.match(final, /^USER node$/m);
  assert.match(final, /^VOLUME \/data$/m);
  assert.match(final, /^ENV TWIN_DATA=\/data$/m);
  assert.match(final, /^HEALTHCHECK [\s\S]*\/healthz"\]$/m);
  assert.match(final, `http://${SETTINGS.http.fallback}/healthz`);
});

test('no command runs in the last stage, so that every platform is built without an emulator', () => {
  assert.match(dockerfile, 'FROM --platform=$BUILDPLATFORM');
  assert.not.match(final, /^RUN/m);
});

test('only the ports with TLS, and the time, leave the container', () => {
  const [https, mqtts] = [portOf(SETTINGS.https.fallback), portOf(SETTINGS.mqtts.fallback)];
  const open = [`${https}/tcp`, `${mqtts}/tcp`, `${mqtts}/udp`];
  assert.match(final, `EXPOSE ${open.join(' ')}`);
  assert.equal(
    alone.services.server?.ports,
    open.map((port) => `${portOf(port.split('/')[0] ?? '')}:${port}`),
  );
});

test('a container writes nothing but its volume, and has no right that it does not need', () => {
  const { server } = alone.services;
  const { caddy } = behindCaddy.services;
  for (const service of [server, caddy]) {
    const { read_only, cap_drop, security_opt, restart } = service ?? {};
    assert.equal(
      { read_only, cap_drop, security_opt, restart },
      {
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        restart: 'unless-stopped',
      },
    );
  }
  assert.is(server?.cap_add, undefined);
  assert.equal(caddy?.cap_add, ['NET_BIND_SERVICE']);
});

test('every volume that is mounted is there', () => {
  const volumes = { ...alone.volumes, ...behindCaddy.volumes };
  for (const { volumes: mounted = [] } of [
    ...Object.values(alone.services),
    ...Object.values(behindCaddy.services),
  ])
    for (const each of mounted) assert.ok((each.split(':')[0] ?? '') in volumes, each);
});

test('Caddy is the only way in without the own TLS of the server, by the loopback', () => {
  const { server, caddy } = behindCaddy.services;
  assert.is(caddy?.network_mode, 'service:server');
  assert.equal(server?.environment, { TWIN_PROXIES: '127.0.0.1' });
});

test('every setting that a file names exists', () => {
  const variables = Object.values(SETTINGS).map(({ variable }) => variable);
  const files = ['Dockerfile', 'compose.yaml', 'compose.caddy.yaml', 'alarm-twin.service'];
  const named = files.flatMap(
    (file) => readFileSync(`${FOLDER}/${file}`, 'utf8').match(/TWIN_[A-Z_]+/g) ?? [],
  );
  assert.ok(named.length > 5);
  assert.equal(
    named.filter((name) => !variables.includes(name)),
    [],
  );
});

test.run();
