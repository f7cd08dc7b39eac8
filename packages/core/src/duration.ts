import { CacheError, type CacheErrorCode, describe } from './errors.ts'

/**
 * A length of time. **A bare number is seconds** (as in Redis `EX` and HTTP `max-age`); a string carries its
 * unit: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. Fractions are fine: `0.5`, `'1.5h'`.
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const MS_PER_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
/** A hundred years: far above any use, far below where timestamps lose their millisecond. */
const MAX_MS = 36_500 * MS_PER_UNIT.d
/** The longest that a timer of Node can wait, about 24 days; one set for longer fires at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1

/**
 * Whole milliseconds of a duration, at least 1.
 *
 * @param name what the duration is for, as the caller wrote it: `ttl`, `timeouts.read`
 * @throws CacheError with `code` (default `INVALID_OPTION`) unless it is more than zero and at most a hundred years
 */
export function toMilliseconds(
  duration: Duration,
  name: string,
  code: CacheErrorCode = 'INVALID_OPTION',
): number {
  const ms = parse(duration)
  if (ms > 0 && ms <= MAX_MS) return Math.max(1, Math.round(ms))
  throw refusal(duration, name, code, 'more than 0')
}

/** As {@link toMilliseconds}, for what may also be 0. @throws CacheError `INVALID_OPTION` */
export function toMillisecondsFromZero(duration: Duration, name: string): number {
  const ms = parse(duration)
  if (ms >= 0 && ms <= MAX_MS) return Math.round(ms)
  throw refusal(duration, name, 'INVALID_OPTION', 'at least 0')
}

function parse(duration: unknown): number {
  if (typeof duration === 'number') return duration * 1_000
  const match = typeof duration === 'string' ? PATTERN.exec(duration) : null
  return match ? Number(match[1]) * MS_PER_UNIT[match[2] as keyof typeof MS_PER_UNIT] : Number.NaN
}

function refusal(received: unknown, name: string, code: CacheErrorCode, minimum: string): CacheError {
  return new CacheError(
    code,
    `${name} must be ${minimum} and at most 36500 days, as seconds (60) or with a unit ` +
      `("250ms", "30s", "5m", "2h", "7d"); received ${describe(received)}`,
  )
}
