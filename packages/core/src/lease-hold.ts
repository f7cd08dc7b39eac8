import { chain } from './awaitable.ts'
import type { Engine } from './engine.ts'
import type { Lease, LeaseRead } from './leasing.ts'
import { isVacant } from './leasing.ts'
import type { Policy } from './policy.ts'
import type { Flight } from './single-flight.ts'
import { readOrLease } from './validated-read.ts'

/** A lease not renewed for so long is anybody's: its holder died, or is frozen. */
export const LEASE_MS = 1_500
/** A third: one renewal may fail, as late as a deadline lets it. */
const RENEW_MS = 500
/** How soon a waiter asks again if no message wakes it, in milliseconds; then twice as long, up to the longest. */
const FIRST_LOOK_MS = 25
const LONGEST_LOOK_MS = 400

/**
 * Waits while another process loads what is not there, not even stale: until it stored its value or gave up, as messages
 * and looks from time to time tell, and at most `engine.leaseWait`.
 *
 * @returns as {@link Engine.readOrLease}; still held by the other if that took too long
 */
export async function awaitLease(
  engine: Engine,
  { address, policy }: { readonly address: string; readonly policy: Policy },
  flight: Flight,
): Promise<LeaseRead> {
  const { clock, leaseWait, random } = engine
  const deadline = clock.now() + leaseWait
  let lookMs = FIRST_LOOK_MS
  for (;;) {
    const left = deadline - clock.now()
    if (left <= 0) return { vacant: true, lease: undefined }
    await pause(engine, flight, Math.min(left, lookMs * (0.5 + random() / 2)))
    lookMs = Math.min(lookMs * 2, LONGEST_LOOK_MS)
    const read = await readOrLease(engine, policy.schema, address)
    if (!isVacant(read) || read.lease || read.stale) return read
  }
}

/** Until the time is up, or a message says that the key was written. */
function pause({ clock }: Engine, flight: Flight, ms: number): Promise<void> {
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

/** Renews leases while their holder loads. @param leases by whole key @returns a function that ends it */
export function keepLeases(engine: Engine, leases: ReadonlyMap<string, Lease>): () => void {
  if (leases.size === 0) return () => {}
  const { clock, leasing } = engine
  const standing = new Map(leases)
  let ended = false
  const renewOne = async ([address, lease]: readonly [string, Lease]): Promise<void> => {
    const stands = await leasing?.renew(address, lease, LEASE_MS)
    // Lost: whoever took it decides; what is being loaded is refused in the end.
    if (stands === false) standing.delete(address)
  }
  const renewAll = async (): Promise<void> => {
    await engine.aside('renew', () => Promise.all([...standing].map(renewOne)))
    if (!ended && standing.size > 0) cancel = schedule()
  }
  const schedule = (): (() => void) => {
    const timer = clock.setTimeout(() => void renewAll(), RENEW_MS)
    timer.unref?.()
    return () => clock.clearTimeout(timer)
  }
  let cancel = schedule()
  return () => {
    ended = true
    cancel()
  }
}

/** Gives a lease up, for the others who wait; its holder does not wait for that. */
export function releaseLease(engine: Engine, address: string, lease: Lease): void {
  void engine.aside('release', async () => chain(engine.leasing?.release(address, lease), () => {}))
}
