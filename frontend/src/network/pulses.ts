// What is alive in the network, as numbers: how strongly each weight just changed, and how much flows along it.
import type { ByteMap } from "../wire";

/** Until a pulse has faded to a third. */
export const FADE_MS = 500;
/** Until a layer's largest change counts a third: as learning settles, so do the pulses. */
const PEAK_MS = 5000;
/** Cells of a map that are looked at, about. */
const CELLS = 64;

/** How strongly each weight just changed: 1 is the largest change of its layer in the last seconds. */
export class Pulses {
  readonly strength: Float32Array;
  private readonly before: Float32Array;
  private readonly peaks: Float32Array;
  private known = false;

  /** `starts`: weights of layer l are at starts[l] up to starts[l + 1]. */
  constructor(private readonly starts: number[]) {
    const count = starts[starts.length - 1];
    this.strength = new Float32Array(count);
    this.before = new Float32Array(count);
    this.peaks = new Float32Array(starts.length - 1);
  }

  /** The weights of the next frame. The first ones have not changed. */
  take(weights: Float32Array): void {
    if (this.known) {
      for (let layer = 0; layer < this.peaks.length; layer++) this.compare(weights, layer);
    }
    this.before.set(weights);
    this.known = true;
  }

  /** Lets time pass, in milliseconds. True while a pulse can be seen. */
  fade(passed: number): boolean {
    const share = Math.exp(-passed / FADE_MS);
    const peakShare = Math.exp(-passed / PEAK_MS);
    let seen = false;
    for (let i = 0; i < this.strength.length; i++) {
      this.strength[i] *= share;
      if (this.strength[i] > 0.02) seen = true;
    }
    for (let layer = 0; layer < this.peaks.length; layer++) this.peaks[layer] *= peakShare;
    return seen;
  }

  private compare(weights: Float32Array, layer: number): void {
    const [start, end] = [this.starts[layer], this.starts[layer + 1]];
    const change = (i: number) => Math.abs(weights[i] - this.before[i]) || 0;
    let peak = this.peaks[layer];
    for (let i = start; i < end; i++) peak = Math.max(peak, change(i));
    this.peaks[layer] = peak;
    if (!(peak > 0)) return;
    for (let i = start; i < end; i++) this.strength[i] = Math.max(this.strength[i], change(i) / peak);
  }
}

/** The mean magnitude of what a unit answers over the inputs. */
export function activity({ bytes, lo, hi }: ByteMap): number {
  const stride = Math.max(1, Math.floor(bytes.length / CELLS)) | 1; // odd, so that it walks over all columns
  let sum = 0;
  let count = 0;
  for (let cell = 0; cell < bytes.length; cell += stride, count++) {
    sum += Math.abs(lo + (bytes[cell] / 255) * (hi - lo));
  }
  return count ? sum / count : 0;
}

/** Makes what flows along each edge a share of the most that flows in its layer. */
export function toShares(flows: Float32Array, starts: number[]): void {
  for (let layer = 0; layer + 1 < starts.length; layer++) {
    const part = flows.subarray(starts[layer], starts[layer + 1]);
    const most = part.reduce((largest, flow) => Math.max(largest, flow || 0), 0);
    for (let i = 0; i < part.length; i++) part[i] = most > 0 ? part[i] / most || 0 : 0;
  }
}
