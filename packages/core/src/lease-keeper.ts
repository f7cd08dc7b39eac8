import { chain } from './awaitable.ts'
import type { Engine } from './engine.ts'
import type { Lease } from './leasing.ts'

/** A lease not renewed for so long is anybody's: its holder died, or is frozen. */
export const LEASE_MS = 1_500
/** A third: one renewal may fail, as late as a deadline lets it. */
const RENEW_MS = 500
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
    for (const hold of this.#holds) {
      const ms = hold.dueAt - now
      // More than that is left only if the machine's clock was set back.
      if (ms > 0 && ms <= RENEW_MS) {
        this.#arm(ms)
        break
      }
      this.#holds.delete(hold)
      void this.#renew(hold)
    }
  }

  /** Each by itself: one that is not answered must not cost the others theirs. */
  async #renew(hold: Hold): Promise<void> {
    const { clock, leasing } = this.#engine
    const asked = clock.now()
    await this.#engine.aside('renew', async () => {
      const stands = await leasing?.renew(hold.address, hold.lease, LEASE_MS)
      if (stands === false) this.#over(hold)
      else hold.renewedAt = asked
    })
    if (!hold.isOver) this.#schedule(hold, clock.now())
  }
}

/** Gives a lease up, for the others who wait; its holder does not wait for that. */
export function releaseLease(engine: Engine, address: string, lease: Lease): void {
  void engine.aside('release', async () => chain(engine.leasing?.release(address, lease), () => {}))
}
