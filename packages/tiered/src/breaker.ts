import type { Clock } from '@cache/core'

/** `closed`: calls go through. `open`: none does. `half-open`: one does, to find out. */
export type BreakerState = 'closed' | 'open' | 'half-open'

export interface BreakerSettings {
  /** Timeouts in a row that open it. */
  readonly timeouts: number
  /** The part of the calls of a window that may fail; more open it. */
  readonly failureRate: number
  /** Calls in a window that it takes to tell a rate. */
  readonly minimumCalls: number
  readonly windowMs: number
  /** How long it stays open before the first probe; twice as long after each that failed. */
  readonly openMs: number
  readonly longestOpenMs: number
}

/**
 * What the end of a call tells about the remote: misses, and refusals of this one request, are `ok`; `unknown` is a call that
 * ended for reasons of our own.
 */
export type Verdict = 'ok' | 'failed' | 'timeout' | 'unknown'

/** Tells the calls of one state of the breaker from those of another. */
export type Pass = object

/** A part of the window. */
interface Bucket {
  readonly since: number
  calls: number
  failures: number
}

const BUCKETS = 10

/**
 * Keeps calls from a remote that does not answer, so that each costs nothing instead of its deadline; then lets one call at a time
 * through to see whether it is back (Nygard, "Release It!", 2007).
 */
export class Breaker {
  readonly #settings: BreakerSettings
  readonly #clock: Clock
  readonly #onChange: (state: BreakerState) => void
  #state: BreakerState = 'closed'
  /** Of the calls made in this state. */
  #pass: Pass = {}
  #timeoutsInRow = 0
  #buckets: Bucket[] = []
  #openMs: number
  #probeAt = 0

  constructor(settings: BreakerSettings, clock: Clock, onChange: (state: BreakerState) => void) {
    this.#settings = settings
    this.#clock = clock
    this.#onChange = onChange
    this.#openMs = settings.openMs
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Whether a call made now would be let through. */
  get wouldAllow(): boolean {
    return this.#state === 'closed' || (this.#state === 'open' && this.#clock.now() >= this.#probeAt)
  }

  /** The remote seems to be back: the next call is let through to see. */
  probeSoon(): void {
    if (this.#state === 'open') this.#probeAt = 0
  }

  /** A call wants to be made. @returns its pass, with which to tell how it {@link ended}; `undefined` if it may not be made */
  enter(): Pass | undefined {
    if (this.#state === 'closed') return this.#pass
    if (!this.wouldAllow) return undefined
    this.#become('half-open')
    return this.#pass
  }

  /** A call that began in an earlier state tells nothing about this one. */
  ended(pass: Pass, verdict: Verdict): void {
    if (pass !== this.#pass) return
    if (this.#state === 'closed') this.#count(verdict)
    else if (this.#state === 'half-open') this.#judgeProbe(verdict)
  }

  #count(verdict: Verdict): void {
    if (verdict === 'unknown') return
    this.#timeoutsInRow = verdict === 'timeout' ? this.#timeoutsInRow + 1 : 0
    const bucket = this.#currentBucket()
    bucket.calls++
    if (verdict === 'ok') return
    bucket.failures++
    if (this.#timeoutsInRow >= this.#settings.timeouts || this.#failsTooOften())
      this.#open(this.#settings.openMs)
  }

  #judgeProbe(verdict: Verdict): void {
    if (verdict === 'unknown') this.#open(this.#openMs)
    else if (verdict !== 'ok') this.#open(Math.min(this.#openMs * 2, this.#settings.longestOpenMs))
    else {
      this.#timeoutsInRow = 0
      this.#buckets = []
      this.#become('closed')
    }
  }

  #open(ms: number): void {
    this.#openMs = ms
    // Not all processes at once.
    this.#probeAt = this.#clock.now() + ms * (0.75 + Math.random() / 2)
    this.#become('open')
  }

  #failsTooOften(): boolean {
    const { minimumCalls, failureRate } = this.#settings
    let calls = 0
    let failures = 0
    for (const bucket of this.#buckets) {
      calls += bucket.calls
      failures += bucket.failures
    }
    return calls >= minimumCalls && failures > calls * failureRate
  }

  /** The part of the window that now is in; those before the window are forgotten. */
  #currentBucket(): Bucket {
    const now = this.#clock.now()
    const { windowMs } = this.#settings
    const last = this.#buckets.at(-1)
    if (last && now - last.since < windowMs / BUCKETS) return last
    const bucket = { since: now, calls: 0, failures: 0 }
    this.#buckets = [...this.#buckets.filter(({ since }) => now - since < windowMs), bucket]
    return bucket
  }

  #become(state: BreakerState): void {
    if (state === this.#state) return
    this.#state = state
    this.#pass = {}
    this.#onChange(state)
  }
}
