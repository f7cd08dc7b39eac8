import { UsageError } from '../lib/command.ts'

/** A number of entries, or a share of a trace's distinct keys. */
export type Size = { readonly entries: number } | { readonly share: number }

/** As in `0.1%,1%,500`. @throws UsageError */
export function parseSizes(parts: readonly string[]): Size[] {
  if (parts.length === 0) throw new UsageError('--sizes must be numbers or percentages; received nothing')
  return parts.map(parseSize)
}

/** The most that a `BoundedMap` can hold. */
const MAX_ENTRIES = 15_000_000

function parseSize(text: string): Size {
  const [, digits = '', percent] = /^(\d+(?:\.\d+)?) ?(%?)$/.exec(text) ?? []
  const number = Number(digits)
  if (percent === '%' && number > 0 && number <= 100) return { share: number / 100 }
  if (percent === '' && Number.isSafeInteger(number) && number >= 1 && number <= MAX_ENTRIES) {
    return { entries: number }
  }
  throw new UsageError(
    `--sizes must be numbers of entries from 1 to ${MAX_ENTRIES}, or percentages of the keys; received "${text}"`,
  )
}

/** In entries, rounded down but at least 1, ascending, each once. */
export function resolveSizes(sizes: readonly Size[], unique: number): number[] {
  const entries = sizes.map(size =>
    'entries' in size ? size.entries : Math.max(1, Math.floor(size.share * unique)),
  )
  return [...new Set(entries)].toSorted((a, b) => a - b)
}

/** Points between which a curve over sizes is drawn. */
const POINTS = 12

/** Sizes in equal steps of a logarithmic axis over the range asked for; around a single size, a decade either way. */
export function curveSizes(sizes: readonly number[], unique: number): number[] {
  const [smallest = 1] = sizes
  const largest = sizes.at(-1) ?? smallest
  const low = smallest === largest ? Math.max(1, Math.floor(smallest / 10)) : smallest
  const high = smallest === largest ? Math.max(smallest, Math.min(unique, smallest * 10)) : largest
  const steps = Array.from({ length: POINTS }, (_, step) => low * (high / low) ** (step / (POINTS - 1)))
  return [...new Set([...steps.map(Math.round), ...sizes])].toSorted((a, b) => a - b)
}
