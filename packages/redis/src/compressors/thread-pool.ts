/** What libuv starts unless told otherwise. */
const DEFAULT_THREADS = 4

/** Runs so many jobs at once and lets the others wait, in the order in which they came. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await job()
    } finally {
      const next = this.#waiting.shift()
      // The slot goes from hand to hand: nobody who comes now overtakes.
      if (next) next()
      else this.#free++
    }
  }
}

/** @param configured `UV_THREADPOOL_SIZE`, which libuv reads as C's `atoi` would */
export function slotsOf(configured: string | undefined): number {
  const threads = configured === undefined ? DEFAULT_THREADS : Number.parseInt(configured, 10) || 1
  return Math.max(1, Math.floor(threads / 2))
}

/**
 * Half of the threads: names are resolved and files are read on the same ones, so that a batch of large values would
 * delay a reconnect by all of its work. Nor has zlib more than so many states in memory at once, which Node's
 * documentation warns of. The thread pool is one for the process, and so is this.
 */
const slots = new Slots(slotsOf(process.env.UV_THREADPOOL_SIZE))

/** Runs a job that keeps a thread of libuv's pool busy, as soon as there is one to spare. */
export function onThreadPool<T>(job: () => Promise<T>): Promise<T> {
  return slots.run(job)
}
