import {
  Cache,
  CacheError,
  isTagging,
  type Loader,
  type LoadOptions,
  ManualClock,
  type Store,
} from '@cache/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LeasingStore, Server } from './leasing-store.ts'
import { asynchronous, BareStore, FullStore, settled, TaggingStore } from './stores.ts'

const KEYS = ['a', 'b', 'c']
const TTL_MS = 1_000
const GRACE_MS = 2_000
const HARD_MS = 300
const STEP_MS = 50
const TAG = 't'

/** A value knows when its load began, in steps of the run, and when it was stored, by the clock. */
interface Born {
  readonly step: number
  readonly at: number
  readonly isTagged: boolean
}

interface Load {
  readonly keys: readonly string[]
  readonly isTagged: boolean
  readonly step: number
  readonly signal: AbortSignal | undefined
  isOver: boolean
  end(settle: 'value' | 'nothing' | 'error'): void
}

interface Call {
  readonly keys: readonly string[]
  readonly step: number
  readonly at: number
  readonly options: LoadOptions
  readonly controller: AbortController | undefined
  /** What was stored when it began. */
  readonly held: ReadonlyMap<string, unknown>
  isSettled: boolean
}

class LoadError extends Error {}
const CALLED_OFF = new Error('called off')

/** Loads that are slow, fail, come late or hang, as fast-check decides, and readers with all kinds of patience. */
class Run {
  readonly clock = new ManualClock()
  readonly cache: Cache<Born>
  readonly #peek: (key: string) => { value: unknown; expiresAt: number } | undefined
  readonly loads: Load[] = []
  readonly calls: Call[] = []
  /** What was wrong with an answer. */
  readonly faults: unknown[] = []
  readonly #invalidated = new Map<string, number>()
  #tagInvalidated = 0
  readonly #keepsTags: boolean
  #step = 0

  constructor(make: (clock: ManualClock) => Made, options: LoadOptions) {
    const { store, peek } = make(this.clock)
    this.#peek = peek
    this.#keepsTags = isTagging(store)
    const lives = { ttl: `${TTL_MS}ms`, grace: `${GRACE_MS}ms`, jitter: 0 } as const
    this.cache = new Cache<Born>({ store, clock: this.clock, random: () => 0.5, ...lives, ...options })
  }

  stored(key: string): unknown {
    const entry = this.#peek(key)
    return entry && entry.expiresAt > this.clock.now() ? entry : undefined
  }

  read(key: string, given: LoadOptions, patience: 'patient' | 'fickle'): void {
    const options = this.#keepsTags ? given : without(given)
    const load: Loader<Born | undefined> = context => {
      // Half of the loaders ask for their signal.
      const signal = this.#step % 2 === 0 ? context.signal : undefined
      return this.#load([key], signal, options).then(loaded => loaded && (loaded.get(key) as Born))
    }
    this.#call([key], options, patience, async all => [
      (await this.cache.getOrSet(key, load, all)) as Born | undefined,
    ])
  }

  readMany(keys: readonly string[], given: LoadOptions, patience: 'patient' | 'fickle'): void {
    const options = this.#keepsTags ? given : without(given)
    this.#call(keys, options, patience, async all => {
      const found = await this.cache.getOrSetMany(
        keys,
        missing => this.#load(missing, undefined, options).then(loaded => loaded ?? new Map<string, Born>()),
        all,
      )
      return [...found.values()]
    })
  }

  async get(key: string): Promise<void> {
    const step = ++this.#step
    const value = await this.cache.get(key)
    if (value === undefined) return
    this.#checkAge(key, value, step)
    expect(this.clock.now()).toBeLessThan(value.at + TTL_MS)
  }

  async invalidate(key: string, how: 'delete' | 'set'): Promise<void> {
    this.#invalidated.set(key, ++this.#step)
    if (how === 'delete') await this.cache.delete(key)
    else await this.cache.set(key, { step: this.#step, at: this.clock.now(), isTagged: false })
  }

  async invalidateTag(): Promise<void> {
    if (!this.#keepsTags) return
    this.#tagInvalidated = ++this.#step
    await this.cache.invalidateTags([TAG])
  }

  /** Step by step: whoever is answered at a time sees that time. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.clock.advance(STEP_MS)
      await settled()
    }
    const overdue = this.calls.filter(
      call => !call.isSettled && call.options.hardTimeout && this.clock.now() - call.at >= HARD_MS,
    )
    expect(overdue).toEqual([])
  }

  /** Ends all that hangs. */
  async end(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      for (const load of this.loads) {
        if (!load.isOver) idle = 0
        load.end('value')
      }
      await this.advance(400) // Until who waits for a lease has looked again.
    }
    expect(this.faults).toEqual([])
    expect(this.calls.filter(call => !call.isSettled)).toEqual([])
    const { stales, misses, inFlight, errors } = this.cache.stats()
    expect({ inFlight, errors, timers: this.clock.pending }).toEqual({ inFlight: 0, errors: 0, timers: 0 })
    expect(stales).toBeLessThanOrEqual(misses)
  }

  #load(
    keys: readonly string[],
    signal: AbortSignal | undefined,
    { tags }: LoadOptions,
  ): Promise<Map<string, Born> | undefined> {
    const step = ++this.#step
    const isTagged = tags !== undefined
    for (const key of keys) {
      const others = this.loads.filter(load => {
        const isCurrent = !load.isOver && !load.signal?.aborted && load.keys.includes(key)
        return isCurrent && load.step > this.#invalidatedAt(key, load.isTagged)
      })
      expect(others).toEqual([])
    }
    const { promise, resolve, reject } = Promise.withResolvers<Map<string, Born> | undefined>()
    const load: Load = {
      keys,
      isTagged,
      step,
      signal,
      isOver: false,
      end: settle => {
        if (load.isOver) return
        load.isOver = true
        if (settle === 'error') reject(new LoadError('origin'))
        else if (settle === 'nothing') resolve(undefined)
        else resolve(new Map(keys.map(key => [key, { step, at: this.clock.now(), isTagged }])))
      },
    }
    this.loads.push(load)
    return promise
  }

  #call(
    keys: readonly string[],
    options: LoadOptions,
    patience: 'patient' | 'fickle',
    run: (options: LoadOptions) => Promise<(Born | undefined)[]>,
  ): void {
    const controller = patience === 'fickle' ? new AbortController() : undefined
    const call: Call = {
      keys,
      step: ++this.#step,
      at: this.clock.now(),
      options,
      controller,
      held: new Map(keys.map(key => [key, this.stored(key)])),
      isSettled: false,
    }
    this.calls.push(call)
    const all = { ...options, ...(controller && { signal: controller.signal }) }
    const check = (verify: () => void): void => {
      call.isSettled = true
      verify()
    }
    run(all)
      .then(
        values =>
          check(() => values.forEach((value, index) => void this.#checkValue(call, keys[index], value))),
        (error: unknown) => check(() => this.#checkRejection(call, error)),
      )
      .catch((fault: unknown) => this.faults.push(fault))
  }

  #checkValue(call: Call, key: string | undefined, value: Born | undefined): void {
    if (value === undefined) return
    if (call.keys.length === 1) this.#checkAge(key as string, value, call.step)
    // Just loaded, or not over yet; what many keys were read for at once may have to wait for the last of them.
    const now = call.keys.length === 1 ? this.clock.now() : call.at
    if (now > value.at) expect(now).toBeLessThan(value.at + TTL_MS + GRACE_MS)
  }

  /** Nothing from before an invalidation is seen by who asked after it. */
  #checkAge(key: string, value: Born, askedAt: number): void {
    const invalidated = this.#invalidatedAt(key, value.isTagged)
    if (invalidated < askedAt) expect(value.step).toBeGreaterThanOrEqual(invalidated)
  }

  #invalidatedAt(key: string, isTagged: boolean): number {
    return Math.max(this.#invalidated.get(key) ?? 0, isTagged ? this.#tagInvalidated : 0)
  }

  #checkRejection(call: Call, error: unknown): void {
    if (error === CALLED_OFF) {
      expect(call.controller?.signal.aborted).toBe(true)
      return
    }
    if (call.keys.length === 1) expect(call.controller?.signal.aborted).not.toBe(true)
    const isTimeout = error instanceof CacheError && error.code === 'LOAD_TIMEOUT'
    expect(isTimeout || error instanceof LoadError).toBe(true)
    if (isTimeout) expect(call.options.hardTimeout).toBeDefined()
    // Rejected only for want of anything to serve: some key had nothing when it was asked for, lost it, or it ended.
    const lost = call.keys.filter(key => {
      const held = call.held.get(key)
      return held === undefined || this.stored(key) !== held
    })
    expect(lost).not.toEqual([])
  }
}

function without({ tags: _, ...options }: LoadOptions): LoadOptions {
  return options
}

interface Made {
  readonly store: Store
  readonly peek: (key: string) => { value: unknown; expiresAt: number } | undefined
}

const STORES: Readonly<Record<string, (clock: ManualClock) => Made>> = {
  'a synchronous store': clock => {
    const store = new BareStore(clock)
    return { store, peek: key => store.entries.get(key) }
  },
  'an asynchronous store': clock => {
    const store = new FullStore(clock)
    return { store: asynchronous(store), peek: key => store.entries.get(key) }
  },
  'a store that keeps tags': clock => {
    const store = new TaggingStore(clock)
    return { store, peek: key => store.get(key) }
  },
  'an asynchronous store that keeps tags': clock => {
    const store = new TaggingStore(clock)
    return { store: asynchronous(store), peek: key => store.get(key) }
  },
  'a store that grants leases': clock => {
    const server = new Server()
    return { store: new LeasingStore(server, clock), peek: key => server.entries.get(key) }
  },
}

type Command = fc.AsyncCommand<object, Run>
const command = (name: string, run: (real: Run) => unknown): Command => ({
  check: () => true,
  run: async (_model, real) => {
    await run(real)
    await settled()
    expect(real.faults).toEqual([])
  },
  toString: () => name,
})

const key = fc.constantFrom(...KEYS)
const patience = fc.constantFrom('patient' as const, 'fickle' as const)
const timeouts = fc.record(
  {
    softTimeout: fc.constantFrom(0 as const, '100ms' as const, false as const),
    hardTimeout: fc.constantFrom(`${HARD_MS}ms` as const),
    tags: fc.constant([TAG]),
  },
  { requiredKeys: [] },
)
const pick = fc.nat({ max: 20 })

const commands: fc.Arbitrary<Command>[] = [
  fc
    .tuple(key, timeouts, patience)
    .map(([k, options, how]) =>
      command(`read ${k} ${JSON.stringify(options)} ${how}`, run => run.read(k, options, how)),
    ),
  fc
    .tuple(fc.uniqueArray(key), timeouts, patience)
    .map(([ks, options, how]) =>
      command(`readMany ${ks} ${JSON.stringify(options)} ${how}`, run => run.readMany(ks, options, how)),
    ),
  key.map(k => command(`get ${k}`, run => run.get(k))),
  fc
    .tuple(pick, fc.constantFrom('value' as const, 'value' as const, 'nothing' as const, 'error' as const))
    .map(([nth, settle]) =>
      command(`end ${nth} with ${settle}`, run => {
        const running = run.loads.filter(load => !load.isOver)
        running[nth % running.length]?.end(settle)
      }),
    ),
  pick.map(nth =>
    command(`abort ${nth}`, run => {
      const waiting = run.calls.filter(call => !call.isSettled && call.controller)
      waiting[nth % waiting.length]?.controller?.abort(CALLED_OFF)
    }),
  ),
  fc
    .constantFrom(50, 100, 300, 700, 1_000, 2_500)
    .map(ms => command(`advance ${ms}`, run => run.advance(ms))),
  fc.constant(command('invalidate the tag', run => run.invalidateTag())),
  fc
    .tuple(key, fc.constantFrom('delete' as const, 'set' as const))
    .map(([k, how]) => command(`${how} ${k}`, run => run.invalidate(k, how))),
]

const options: fc.Arbitrary<LoadOptions> = fc.record(
  {
    refreshAhead: fc.constant(0.5),
    earlyRefresh: fc.constant(1),
    negativeTtl: fc.constant('200ms' as const),
    errorTtl: fc.constant('200ms' as const),
  },
  { requiredKeys: [] },
)

describe.each(Object.entries(STORES))('reading through %s, whatever loaders and callers do,', (_, make) => {
  it('loads a key once at a time, serves nothing past its end or from before an invalidation, rejects nobody who can be served, and settles', async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.commands(commands, { maxCommands: 60, size: 'max' }),
        async (given, steps) => {
          const run = new Run(make, given)
          await fc.asyncModelRun(() => ({ model: {}, real: run }), steps)
          await run.end()
        },
      ),
      { numRuns: 300 },
    )
  })
})
