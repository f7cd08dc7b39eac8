import type { Flight } from './flight.ts'
import { isVacant, type LeaseRead } from './leasing.ts'
import { readOrLease } from './validated-read.ts'

/** How soon a waiter asks again if no message wakes it, in milliseconds; then twice as long, up to the longest. */
const FIRST_LOOK_MS = 25
const LONGEST_LOOK_MS = 400

/**
 * Waits while another process loads what is not there, not even stale: until it stored its value or gave up, as messages
 * and looks from time to time tell, and at most `engine.leaseWait`.
 *
 * @returns as {@link Engine.readOrLease}; still held by the other if that took too long
 */
export async function awaitLease(flight: Flight): Promise<LeaseRead> {
  const { engine, address, policy } = flight
  const { clock, leaseWait, random } = engine
  const deadline = clock.now() + leaseWait
  let lookMs = FIRST_LOOK_MS
  for (;;) {
    const left = deadline - clock.now()
    if (left <= 0) return { vacant: true, lease: undefined }
    await pause(flight, Math.min(left, lookMs * (0.5 + random() / 2)))
    lookMs = Math.min(lookMs * 2, LONGEST_LOOK_MS)
    const read = await readOrLease(engine, policy.schema, address, undefined, policy.call)
    if (!isVacant(read) || read.lease || read.stale) {
      if (isVacant(read) && read.lease) engine.noteLease(read)
      return read
    }
  }
}

/** Until the time is up, or a message says that the key was written. */
function pause(flight: Flight, ms: number): Promise<void> {
  const { clock } = flight.engine
  return new Promise(resolve => {
    const done = (): void => {
      clock.clearTimeout(timer)
      flight.wake = undefined
      resolve()
    }
    const timer = clock.setTimeout(done, ms)
    timer.unref?.()
    flight.wake = done
  })
}
