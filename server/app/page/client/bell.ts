/** Lets the phone sound and vibrate. The browser allows that after the page was touched once. */

const PATTERN = [600, 200, 600, 600];
const PERIOD_MS = 2000;
/** Two tones in turn, each for half of the period, as from a siren in the street; in hertz. */
const TONES = [880, 660];
const VOLUME = 0.25;

export class Bell {
  #audio: AudioContext | undefined;
  #ringing: ReturnType<typeof setInterval> | undefined;

  /** The page was touched: from now on the browser allows sound. */
  allow(): void {
    this.#audio ??= new AudioContext();
    // The browser may forbid sound all the same. The screen and the notification remain.
    this.#audio.resume().catch(() => undefined);
  }

  ring(on: boolean): void {
    if (on === (this.#ringing !== undefined)) return;
    if (on) {
      this.#once();
      this.#ringing = setInterval(() => this.#once(), PERIOD_MS);
      return;
    }
    clearInterval(this.#ringing);
    this.#ringing = undefined;
    navigator.vibrate?.(0);
  }

  #once(): void {
    navigator.vibrate?.(PATTERN);
    const audio = this.#audio;
    if (audio?.state !== 'running') return;
    const half = PERIOD_MS / 2000;
    const [oscillator, gain] = [audio.createOscillator(), audio.createGain()];
    gain.gain.value = VOLUME;
    for (const [index, tone] of TONES.entries()) {
      oscillator.frequency.setValueAtTime(tone, audio.currentTime + index * half);
    }
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start();
    oscillator.stop(audio.currentTime + 2 * half - 0.1);
  }
}
