import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkPins, consolePinOf, faultOfPin } from '../../../../firmware/desktop/board/pins.js';

for (const [chip, name, gpio, reason] of [
  ['esp32', 'ESP32', 6, 'flash memory'],
  ['esp32', 'ESP32', 11, 'flash memory'],
  ['esp32', 'ESP32', 34, 'neither output nor pull-up'],
  ['esp32', 'ESP32', 39, 'neither output nor pull-up'],
  ['esp32', 'ESP32', 0, 'how the chip boots'],
  ['esp32', 'ESP32', 12, 'how the chip boots'],
  ['esp32', 'ESP32', 1, 'serial console'],
  ['esp32', 'ESP32', 24, 'has no GPIO 24'],
  ['esp32', 'ESP32', 40, 'has no GPIO 40'],
  ['esp32c3', 'ESP32-C3', 11, 'flash memory'],
  ['esp32c3', 'ESP32-C3', 17, 'flash memory'],
  ['esp32c3', 'ESP32-C3', 18, 'USB'],
  ['esp32c3', 'ESP32-C3', 9, 'how the chip boots'],
  ['esp32c3', 'ESP32-C3', 22, 'has no GPIO 22'],
  ['esp32s3', 'ESP32-S3', 26, 'flash memory'],
  ['esp32s3', 'ESP32-S3', 37, 'flash memory'],
  ['esp32s3', 'ESP32-S3', 19, 'USB'],
  ['esp32s3', 'ESP32-S3', 22, 'has no GPIO 22'],
  ['esp32s2', 'ESP32-S2', 46, 'neither output nor pull-up'],
  ['esp32c6', 'ESP32-C6', 24, 'flash memory'],
] as const) {
  test(`GPIO ${gpio} of the ${name} is refused: ${reason}`, () => {
    for (const role of ['input', 'siren', 'led', 'beeper'] as const)
      assert.match(faultOfPin(chip, role, gpio) ?? '', reason);
  });
}

test('the LED on the board of an ESP32 is at a strapping pin, where it does no harm', () => {
  assert.is(faultOfPin('esp32', 'led', 2), undefined);
  assert.match(faultOfPin('esp32', 'siren', 2) ?? '', 'how the chip boots');
});

test('a chip that is not known is taken as it is', () => {
  assert.is(faultOfPin('esp32p4', 'siren', 99), undefined);
});

function refused(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return assert.unreachable() as never;
}

const OUTPUTS = { sirenPin: 26, ledPin: 2 };

test('every part needs a pin, and no two the same', () => {
  checkPins('esp32/a', 'esp32', { doorPin: 27, ...OUTPUTS });
  checkPins('esp32/a', 'esp32', { doorPin: 27, ...OUTPUTS, beeperPin: 25 });
  assert.match(
    refused(() => checkPins('esp32/a', 'esp32', { doorPin: 27, sirenPin: 26 })),
    'the pins of esp32/a are yours to choose: --led-pin',
  );
  for (const twice of [{ sirenPin: 27 }, { beeperPin: 26 }])
    assert.match(
      refused(() => checkPins('esp32/a', 'esp32', { doorPin: 27, ...OUTPUTS, ...twice })),
      /need a pin each, and GPIO 2[67] is there twice/,
    );
  assert.match(
    refused(() => checkPins('esp32/a', 'esp32c3', { doorPin: 4, sirenPin: 5, ledPin: 18 })),
    '--led-pin: GPIO 18 of the ESP32-C3 belongs to the USB',
  );
  assert.match(
    refused(() => checkPins('esp32/a', 'esp32', { doorPin: 27, ...OUTPUTS, beeperPin: 12 })),
    '--beeper-pin: GPIO 12 of the ESP32 chooses how the chip boots',
  );
});

const DOOR = { name: 'front door', kind: 'entry', pin: 27 } as const;
const WINDOW = { name: 'window', kind: 'instant' } as const;

test('each contact needs a pin of its own; only the first one has a default', () => {
  checkPins('esp32/a', 'esp32', {
    contacts: [DOOR, { ...WINDOW, pin: 33 }],
    doorPin: 26,
    ledPin: 2,
    sirenPin: 25,
  });
  checkPins('esp32/a', 'esp32', { contacts: [WINDOW], doorPin: 27, ...OUTPUTS });
  for (const [contacts, reason] of [
    [[DOOR, WINDOW], 'yours to choose: --contact "window"'],
    [[DOOR, { ...WINDOW, pin: 27 }], 'GPIO 27 is there twice'],
    [[DOOR, { ...WINDOW, pin: 26 }], 'GPIO 26 is there twice'],
    [
      [DOOR, { ...WINDOW, pin: 6 }],
      `--contact "window": GPIO 6 of the ESP32 belongs to the chip's flash memory`,
    ],
    [
      [DOOR, { ...WINDOW, pin: 34 }],
      '--contact "window": GPIO 34 of the ESP32 has neither output nor pull-up',
    ],
  ] as const)
    assert.match(
      refused(() => checkPins('esp32/a', 'esp32', { contacts, ...OUTPUTS })),
      reason,
    );
});

for (const [chip, good, bad] of [
  ['esp32', [32, 33, 34, 39], [27, 25, 4]],
  ['esp32s3', [1, 10], [11, 47]],
  ['esp32c3', [0, 4], [5, 10]],
] as const) {
  test(`a line with resistors needs a pin of ${chip} that measures a voltage while the Wi-Fi is on`, () => {
    for (const gpio of good) assert.is(faultOfPin(chip, 'analog', gpio), undefined);
    for (const gpio of bad) assert.match(faultOfPin(chip, 'analog', gpio) ?? '', 'measures no voltage');
  });
}

test("a console needs a serial port that is not the chip's own USB", () => {
  const board = { chip: 'esp32c3', usesUsb: false, sdkconfig: undefined };
  assert.is(consolePinOf('esp32/esp32c3', board), 21);
  assert.match(
    refused(() => consolePinOf('esp32/lolin_c3mini', { ...board, usesUsb: true })),
    '--console: esp32/lolin_c3mini has no serial port of its own',
  );
});

test.run();
