/**
 * What the manifests of the Moddable SDK 8.2.3 give the four documented targets, as far as the panel is concerned: facts
 * written down from reading them, not their text. Modules that the panel does not touch are left out.
 */

import type { Manifest } from './manifests.js';

/** The same for every target: `esp32/*` is the first entry that matches it. */
const IO_OF_A_TARGET = {
  include: '$(MODDABLE)/examples/manifest_net.json',
  modules: {
    'embedded:io/socket/tcp': '$(IO)/socket/lwip/tcp',
    'embedded:io/socket/udp': '$(IO)/socket/lwip/udp',
  },
  preload: ['embedded:io/socket/tcp', 'embedded:io/socket/udp'],
};

const target = (led?: { pin: number; rainbow: boolean }): Manifest => ({
  config: led === undefined ? {} : { led },
  modules: { 'setup/target': './setup-target' },
  preload: ['setup/target'],
});

export const SDK_MANIFESTS: Record<string, Manifest> = {
  'examples/manifest_base.json': {
    build: { BUILD: '$(MODDABLE)/build', MODULES: '$(MODDABLE)/modules' },
    creation: { main: 'main' },
    platforms: { esp32: { include: '$(BUILD)/devices/esp32/manifest.json' } },
  },
  'build/devices/esp32/manifest.json': {
    modules: { time: '$(MODULES)/base/time/time', timer: '$(MODULES)/base/timer/timer' },
    preload: ['time', 'timer'],
    platforms: { 'esp32/*': { include: '$(SUBPLATFORMMANIFEST)' } },
  },
  'build/devices/esp32/targets/nodemcu/manifest.json': target(),
  'build/devices/esp32/targets/esp32c3/manifest.json': target({ pin: 8, rainbow: true }),
  'build/devices/esp32/targets/esp32s3/manifest.json': target({ pin: 48, rainbow: false }),
  'build/devices/esp32/targets/lolin_c3mini/manifest.json': target({ pin: 7, rainbow: true }),
  // This one stands for every other target: it has all that a target can switch on by itself.
  'build/devices/esp32/targets/unlisted/manifest.json': {
    ...target({ pin: 1, rainbow: true }),
    include: '$(MODDABLE)/modules/network/ethernet/manifest_net_ethernet.json',
  },
  'modules/network/ethernet/manifest_net_ethernet.json': {
    modules: { 'setup/ethernet': '$(MODDABLE)/modules/network/ethernet/esp32/setup/ethernet' },
    preload: 'setup/ethernet',
  },
  'modules/io/manifest.json': {
    build: { IO: '$(MODDABLE)/modules/io' },
    platforms: { esp32: { include: './manifests/esp32/manifest.json' } },
  },
  'modules/io/manifests/esp32/manifest.json': {
    include: '$(MODDABLE)/examples/manifest_base.json',
    modules: {
      system: '$(IO)/system/system',
      'embedded:io/analog': '$(IO)/analog/esp32/_analog',
      'embedded:io/digital': '$(IO)/digital/esp32/digital',
      'embedded:io/serial': '$(IO)/serial/esp32/serial',
    },
    preload: 'system',
    platforms: { esp32: {}, 'esp32/*': IO_OF_A_TARGET },
  },
  'examples/manifest_net.json': {
    config: { sntp: 'pool.ntp.org' },
    platforms: {
      esp32: {
        include: '$(MODULES)/io/wifi/manifest.json',
        modules: { 'setup/network': '$(BUILD)/devices/esp32/setup/network' },
        preload: 'setup/network',
      },
    },
  },
  'modules/io/wifi/manifest.json': {
    platforms: { esp32: { include: './esp32/manifest.json' } },
  },
  'modules/io/wifi/esp32/manifest.json': {
    modules: { 'embedded:network/interface/wifi': './wifi-esp32' },
    preload: 'embedded:network/interface/wifi',
  },
  'modules/files/file/manifest.json': { modules: { file: './file' }, preload: 'file' },
  'modules/io/storage/manifest.json': {
    modules: { 'embedded:storage/key-value': './esp32/key-value' },
  },
  'build/devices/esp32/modules/resetReason/manifest.json': {
    modules: { resetReason: './resetReason' },
    preload: 'resetReason',
  },
  'modules/crypt/tls_419.json': {
    modules: {
      'ssl/cert': './ssl/ssl_cert',
      'ssl/handshake': './ssl/ssl_handshake',
      crypt: './digest/crypt',
      curve: './etc/curve',
      ecdsa: './etc/ecdsa',
      ecp: './arith/ecp',
      pkcs8: './etc/pkcs8',
      x509: './etc/x509',
    },
    preload: ['ssl/cert', 'ssl/handshake', 'curve', 'ecdsa', 'pkcs8', 'x509'],
  },
  'examples/io/tcp/mqttsclient/manifest_mqttsclient.json': {
    include: ['$(MODDABLE)/modules/io/manifest.json', '$(MODDABLE)/modules/crypt/tls_419.json'],
    modules: {
      'embedded:network/mqtt/client': '../mqttclient/mqttclient',
      'embedded:io/socket/tcp/tls': '../tlssocket/tlssocket',
    },
  },
};

/** As the SDK is about to be: no manifest of its own brings the network in. */
export const SDK_WITHOUT_NETWORK: Record<string, Manifest> = {
  ...SDK_MANIFESTS,
  'examples/manifest_net.json': {},
};
