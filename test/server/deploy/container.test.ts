/** The files of the container. There is no container engine here: they are linted, and held to the rules of the house. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse, parseDocument } from 'yaml';
import { SETTINGS } from '../../../server/config.js';
import { parseAddress } from '../../../server/database-address.js';

const FOLDER = 'server/deploy';
const CLUSTER = 'compose.cluster.yaml';

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
  networks?: Record<string, { ipv4_address?: string }>;
  image?: string;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const dockerfile = readFileSync(`${FOLDER}/Dockerfile`, 'utf8');
const [, final = ''] = dockerfile.split(/^(?=FROM )/m).slice(1);

function compose(file: string): Compose {
  const document = parseDocument(readFileSync(`${FOLDER}/${file}`, 'utf8'), {
    uniqueKeys: true,
    merge: true,
  });
  assert.equal([...document.errors, ...document.warnings], []);
  return document.toJS() as Compose;
}

const alone = compose('compose.yaml');
const behindCaddy = compose('compose.caddy.yaml');
const cluster = compose(CLUSTER);
const databaseImage = readFileSync(`${FOLDER}/cluster/Dockerfile`, 'utf8');
const balancer = readFileSync(`${FOLDER}/cluster/haproxy.cfg`, 'utf8');
const patroni = parse(readFileSync(`${FOLDER}/cluster/patroni.yaml`, 'utf8'));

const portOf = (address: string): string => /\d+$/.exec(address)?.[0] ?? '';

test('the Dockerfile has no fault, and the linter finds one', () => {
  assert.equal(validate(dockerfile), []);
  assert.equal(validate(databaseImage), []);
  assert.ok(validate(dockerfile.replace('USER node', 'USR node')).length > 0);
});

test('every image has a version', () => {
  const images = [
    ...[...(dockerfile + databaseImage).matchAll(/^FROM (?:--platform=\S+ )?(\S+)/gm)].map(
      ([, image = '']) => image,
    ),
    behindCaddy.services.caddy?.image ?? '',
    cluster.services.balancer?.image ?? '',
  ];
  assert.is(images.length, 5);
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
  for (const service of [server, caddy, ...Object.values(cluster.services)]) {
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
  for (const { services, volumes } of [
    { ...alone, ...behindCaddy, volumes: { ...alone.volumes, ...behindCaddy.volumes } },
    alone,
    cluster,
  ])
    for (const { volumes: mounted = [] } of Object.values(services))
      for (const each of mounted) {
        const [from = ''] = each.split(':');
        assert.ok(from.startsWith('./') ? existsSync(join(FOLDER, from)) : from in volumes, each);
      }
});

test('Caddy is the only way in without the own TLS of the server, by the loopback', () => {
  const { server, caddy } = behindCaddy.services;
  assert.is(caddy?.network_mode, 'service:server');
  assert.equal(server?.environment, { TWIN_PROXIES: '127.0.0.1' });
});

test('every setting that the servers of the cluster get exists, and only they get any', () => {
  const variables: string[] = Object.values(SETTINGS).map(({ variable }) => variable);
  for (const [name, { environment = {} }] of Object.entries(cluster.services)) {
    const wrong = Object.keys(environment).filter(
      (key) => key.startsWith('TWIN_') && !variables.includes(key),
    );
    assert.equal(wrong, name.startsWith('database') ? ['TWIN_DATABASE_PASSWORD'] : [], name);
  }
});

test('three servers share a database of three members, and only the balancer is reached from outside', () => {
  const named = (kind: string) => Object.keys(cluster.services).filter((name) => name.startsWith(kind));
  assert.equal(
    ['etcd', 'database', 'server'].map((kind) => named(kind).length),
    [3, 3, 3],
  );
  const addresses = named('server').map((name) => cluster.services[name]?.environment?.TWIN_DATABASE ?? '');
  assert.is(new Set(addresses).size, 1);
  const { hosts, tls } = parseAddress(addresses[0]?.replace(/\$\{\w+\}/, 'secret') ?? '');
  assert.equal(
    hosts.map(({ host }) => host),
    named('database'),
  );
  assert.ok(tls);
  const open = Object.entries(cluster.services).filter(([, { ports }]) => ports !== undefined);
  assert.equal(
    open.map(([name]) => name),
    ['balancer'],
  );
});

test('the servers believe only the balancer, which names them all and says who its client is', () => {
  const { balancer: service, ...others } = cluster.services;
  const address = service?.networks?.default?.ipv4_address;
  for (const [name, { environment }] of Object.entries(others))
    if (name.startsWith('server')) {
      assert.is(environment?.TWIN_PROXIES, address);
      for (const setting of [SETTINGS.https, SETTINGS.mqtts])
        assert.match(balancer, ` ${name} ${name}:${portOf(setting.fallback)}`);
    }
  assert.match(balancer, /default-server send-proxy-v2 check check-send-proxy/);
  assert.match(balancer, /httpchk GET \/readyz/);
});

test('each commit waits for one of two standbys, and only a member that has all of them becomes the primary', () => {
  const { synchronous_mode, synchronous_node_count, maximum_lag_on_failover } = patroni.bootstrap.dcs;
  assert.equal([synchronous_mode, synchronous_node_count, maximum_lag_on_failover], ['quorum', 1, 0]);
  const { fsync, full_page_writes } = {
    ...patroni.bootstrap.dcs.postgresql.parameters,
    ...patroni.postgresql.parameters,
  };
  assert.equal([fsync, full_page_writes], [undefined, undefined]);
});

test('no password stands in a file of the cluster, and none comes by a connection without TLS', () => {
  const files = [CLUSTER, 'cluster/patroni.yaml', 'cluster/start-database', 'cluster/make-database'];
  for (const file of files)
    for (const [line] of readFileSync(`${FOLDER}/${file}`, 'utf8').matchAll(/^.*password.*$/gim))
      assert.match(line, /\$|^ *#|:'password'/, `${file}: ${line}`);
  for (const rule of patroni.postgresql.pg_hba) assert.match(rule, /^(local|hostssl) /);
});

test('every setting that a file names exists', () => {
  const variables = Object.values(SETTINGS).map(({ variable }) => variable);
  const files = ['Dockerfile', 'compose.yaml', 'compose.caddy.yaml', 'alarm-twin.service', 'cluster.md'];
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
