// Random Fourier features among the features: rff1, rff2, … in pairs, a cosine and a sine of one frequency each.

const NAME = /^rff(\d+)$/;

export const waveOf = (feature: string): number | null => Number(NAME.exec(feature)?.[1] ?? 0) || null;

export const wavesIn = (features: string[]): number => features.filter(waveOf).length;

/** The features with the first `count` waves, and no other ones; something is left in any case. */
export function withWaves(features: string[], count: number): string[] {
  const others = features.filter((name) => !waveOf(name));
  const waves = Array.from({ length: count }, (_, i) => `rff${i + 1}`);
  const next = [...others, ...waves];
  return next.length ? next : ["x1"];
}
