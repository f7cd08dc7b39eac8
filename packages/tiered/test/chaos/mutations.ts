/** One mechanism taken out, as texts of the sources to be replaced. */
export interface Mutant {
  readonly name: string
  readonly patches: readonly Patch[]
}

interface Patch {
  readonly file: string
  /** Is there exactly once. */
  readonly text: string
  readonly becomes: string
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'journal',
    patches: [
      {
        file: 'packages/tiered/src/journal.ts',
        text: 'if (added.length > 0) this.#log.added(batchOf(added))',
        becomes: 'pending.clear()',
      },
    ],
  },
  {
    name: 'journalled keys are not read',
    patches: [
      {
        file: 'packages/tiered/src/debts.ts',
        text: 'return this.#journal.has(key) || this.#setbacks?.settling === true',
        becomes: 'return false',
      },
    ],
  },
  {
    name: 'honest outcome',
    patches: [
      {
        file: 'packages/tiered/src/remote-writes.ts',
        text: "return outcome.error ? { status: 'queued', error: outcome.error } : { status: 'queued' }",
        becomes: "return { status: 'applied' }",
      },
    ],
  },
  {
    name: 'gap flush',
    patches: [
      {
        file: 'packages/tiered/src/tiered-store.ts',
        text: '    this.#near.flush()\n',
        becomes: '',
      },
    ],
  },
  {
    name: 'bypass while the stream is broken',
    patches: [
      {
        file: 'packages/tiered/src/coherence.ts',
        text: 'return this.#bus === undefined || this.#bus.connected',
        becomes: 'return true',
      },
    ],
  },
  {
    name: 'leases',
    patches: [
      {
        file: 'packages/core/src/engine.ts',
        text: 'this.leasing = isLeasing(store) ? store : undefined',
        becomes: 'this.leasing = undefined',
      },
    ],
  },
  {
    name: 'compare-and-set of fills',
    patches: [
      {
        file: 'packages/redis/src/scripts/lease-scripts.ts',
        text: `if \${TOKEN} ~= ARGV[1] then return 0 end\nredis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])\nlocal told`,
        becomes: "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])\nlocal told",
      },
    ],
  },
  {
    name: 'generation',
    patches: [
      {
        file: 'packages/core/src/single-flight.ts',
        text: '    flight.superseded = true\n    this.#flights.delete(key)\n    flight.wake?.()',
        becomes: '    flight.wake?.()',
      },
    ],
  },
  {
    name: 'placeholder',
    patches: [
      {
        file: 'packages/tiered/src/promotions.ts',
        text: 'return valid && !this.tags.isOutdated(tags, since)',
        becomes: 'return true',
      },
    ],
  },
  {
    name: 'single probe of the breaker',
    patches: [
      {
        file: 'packages/tiered/src/breaker.ts',
        text: "return this.#state === 'closed' || (",
        becomes: "return this.#state === 'closed' || this.#state === 'half-open' || (",
      },
    ],
  },
  {
    name: 'fence of timed-out writes',
    patches: [
      {
        file: 'packages/redis/src/gate.ts',
        text: 'await fence(client, this.#identity, identity).catch(() => {})',
        becomes: '',
      },
    ],
  },
  {
    name: 'ring',
    patches: [
      {
        file: 'packages/tiered/src/debts.ts',
        text: 'this.#setbacks = isMarking(l2)',
        becomes: 'this.#setbacks = false',
      },
    ],
  },
]
