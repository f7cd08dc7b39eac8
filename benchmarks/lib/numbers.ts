/** The middle of several numbers, and how far they spread. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @param samples at least one */
export function spread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const low = sorted[Math.floor(middle)] as number
  const high = sorted[Math.ceil(middle)] as number
  return { median: (low + high) / 2, min: sorted[0] as number, max: sorted.at(-1) as number }
}

export function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length
}

/** `1234567` as `1,234,567`. */
export function count(n: number): string {
  return Math.round(n).toLocaleString('en')
}

/** A median with its bounds: `1.02 (0.98–1.10)`. */
export function withSpread({ median, min, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}
