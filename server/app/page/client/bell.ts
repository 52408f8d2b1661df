/** Makes the phone heard and felt, where the browser allows it: only after the page was touched once. */

const PATTERN = [600, 200, 600, 600];
const PERIOD_MS = 2000;
/** Two tones in turn, each for half of the period, as of a siren in the street; in hertz. */
const TONES = [880, 660];
const VOLUME = 0.25;

export class Bell {
  #audio: AudioContext | undefined;
  #ringing: ReturnType<typeof setInterval> | undefined;

  /** To be called when the page is touched: from then on it may be heard. */
  allow(): void {
    this.#audio ??= new AudioContext();
    // Refused where sound is not allowed after all; the picture and the notification remain.
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
