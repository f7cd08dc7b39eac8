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
    if (!isVacant(read) || read.lease || read.stale) {
      if (isVacant(read) && read.lease) engine.noteLease(read)
      return read
    }
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

/** A lease that is renewed as long as its holder loads. */
export interface Hold {
  readonly address: string
  readonly lease: Lease
  /** When it was granted, or asked for anew with success, in milliseconds since the epoch. */
  renewedAt: number
  /** When it is to be renewed. */
  dueAt: number
  /** Its holder has ended, or it is lost: whoever took it decides, and what is being loaded is refused in the end. */
  isOver: boolean
}

/**
 * Renews leases while their holders load, all on one timer: hardly any load takes so long, and a timer for each would be made
 * only to be cleared. Armed for the first that comes, it stays; when it fires it is armed for the next one that is due.
 */
export class LeaseKeeper {
  readonly #engine: Engine
  /** The next that is due first. */
  readonly #holds = new Set<Hold>()
  #isArmed = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  keep(address: string, lease: Lease): Hold {
    const now = this.#engine.clock.now()
    const hold: Hold = { address, lease, renewedAt: now, dueAt: now, isOver: false }
    this.#schedule(hold, now)
    return hold
  }

  end(hold: Hold): void {
    this.#over(hold)
    this.#holds.delete(hold)
  }

  /** Counts one that nobody renewed in time. */
  #over(hold: Hold): void {
    if (hold.isOver) return
    hold.isOver = true
    const { clock, tallies } = this.#engine
    if (clock.now() - hold.renewedAt > LEASE_MS) tallies.leases.expired++
  }

  #schedule(hold: Hold, now: number): void {
    hold.dueAt = now + RENEW_MS
    this.#holds.add(hold)
    if (!this.#isArmed) this.#arm(RENEW_MS)
  }

  #arm(ms: number): void {
    this.#isArmed = true
    this.#engine.clock.setTimeout(() => this.#onTime(), ms).unref?.()
  }

  #onTime(): void {
    this.#isArmed = false
    const now = this.#engine.clock.now()
    const due: Hold[] = []
    for (const hold of this.#holds) {
      const ms = hold.dueAt - now
      // More than that is left only if the machine's clock was set back.
      if (ms > 0 && ms <= RENEW_MS) {
        this.#arm(ms)
        break
      }
      this.#holds.delete(hold)
      due.push(hold)
    }
    if (due.length > 0) void this.#renewAll(due)
  }

  async #renewAll(holds: readonly Hold[]): Promise<void> {
    await this.#engine.aside('renew', () => Promise.all(holds.map(hold => this.#renew(hold))))
    const now = this.#engine.clock.now()
    for (const hold of holds) if (!hold.isOver) this.#schedule(hold, now)
  }

  async #renew(hold: Hold): Promise<void> {
    const asked = this.#engine.clock.now()
    const stands = await this.#engine.leasing?.renew(hold.address, hold.lease, LEASE_MS)
    if (stands === false) this.#over(hold)
    else hold.renewedAt = asked
  }
}

/** Gives a lease up, for the others who wait; its holder does not wait for that. */
export function releaseLease(engine: Engine, address: string, lease: Lease): void {
  void engine.aside('release', async () => chain(engine.leasing?.release(address, lease), () => {}))
}
