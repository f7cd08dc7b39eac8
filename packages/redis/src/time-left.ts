import { CacheError, type Clock } from '@cache/core'

/**
 * What is left, in milliseconds, of a deadline for several commands one after the other.
 *
 * @param until epoch ms by the clock
 * @throws CacheError `TIMEOUT` if that is nothing
 */
export function timeLeft(clock: Clock, until: number): number {
  const ms = until - clock.now()
  if (ms > 0) return ms
  throw new CacheError('TIMEOUT', 'the deadline passed before Redis could be asked')
}
