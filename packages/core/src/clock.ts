/** What a {@link Clock} hands out for a pending timer. */
export interface TimerHandle {
  /** Lets the process end while the timer is pending. */
  unref?(): unknown
}

/** Time as the packages see it. Injected everywhere, so that tests turn the clock and never sleep. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Calls `fn` once after `ms` milliseconds, unless cleared. */
  setTimeout(fn: () => void, ms: number): TimerHandle
  clearTimeout(handle: TimerHandle): void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout),
}
