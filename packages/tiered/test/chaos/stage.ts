import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Access, Backend, type Topology } from './backend.ts'
import { Worker } from './fleet.ts'
import type { Violation, WorkerOptions } from './protocol.ts'
import { Random } from './random.ts'
import { Truth } from './truth.ts'

export interface StageOptions {
  readonly topology: Topology
  readonly seed: number
  readonly processes: number
  /** Whether some of the processes track Redis instead of relying on what is announced. */
  readonly tracking: boolean
}

/** Fewer than there are keys: near tiers evict, too. */
const MAX_ITEMS = 40
/** Of one of the processes; what does not fit becomes "everything". */
const SMALL_JOURNAL = 30
/** Of all processes but one: while a server is frozen they see whether it is back as long as their connections still stand. */
const QUICK_BREAKER = { openFor: '200ms' } as const

/** Everything that takes part: a Redis, the processes that share it, proxies in between for each, and the truth. */
export class Stage {
  readonly options: StageOptions
  readonly backend: Backend
  readonly #access: readonly Access[]
  /** Of the journals that outlive their processes. */
  readonly #directory: string
  readonly workers: Worker[] = []
  readonly violations: Violation[] = []
  readonly truth: Truth
  readonly prefix: string
  #floors: readonly number[] = []
  #barriers = 0
  #ownWritesExpected = true

  private constructor(options: StageOptions, backend: Backend, access: readonly Access[], directory: string) {
    this.options = options
    this.backend = backend
    this.#access = access
    this.#directory = directory
    this.prefix = `chaos${options.seed}:`
    this.truth = new Truth(new Random(options.seed, 1), violation => this.tell(violation))
  }

  static async start(options: StageOptions): Promise<Stage> {
    const backend = await Backend.start(options.topology)
    const access = await Promise.all(Array.from({ length: options.processes }, () => backend.access()))
    const directory = await mkdtemp(join(tmpdir(), 'cache-chaos-'))
    const stage = new Stage(options, backend, access, directory)
    for (let slot = 0; slot < options.processes; slot++) stage.workers.push(stage.#startWorker(slot, 0))
    return stage
  }

  tell(violation: Violation): void {
    this.violations.push(violation)
  }

  /** Between a process and each server. */
  proxiesOf(slot: number): Access['proxies'] {
    return this.#access[slot]?.proxies ?? []
  }

  /** Has a process write a lot now, unless it is just being replaced. */
  async burst(slot: number): Promise<void> {
    await this.workers[slot]?.call('burst', null).catch(() => {})
  }

  async burstEverywhere(): Promise<void> {
    await Promise.all(this.workers.map((_, slot) => this.burst(slot)))
  }

  /** Kills a process and starts another one in its place. */
  async replace(slot: number): Promise<void> {
    const worker = this.workers[slot] as Worker
    await worker.kill()
    this.truth.died(slot, worker.options.tiered.journal ? 'in a file' : 'in memory')
    const successor = this.#startWorker(slot, worker.options.incarnation + 1)
    this.workers[slot] = successor
    await successor.call('resume', null)
  }

  /** A process that has been in none of this. */
  newcomer(): Worker {
    return this.#startWorker(this.options.processes, 0, this.backend.direct)
  }

  /** Asks all processes at once. */
  all<T>(question: (worker: Worker) => Promise<T>): Promise<T[]> {
    return Promise.all(this.workers.map(question))
  }

  /** Whether processes must see their own writes: not while Redis may lose what it confirmed. */
  async expectOwnWrites(expected: boolean): Promise<void> {
    this.#ownWritesExpected = expected
    await this.all(worker => worker.call('expectOwnWrites', expected))
  }

  /** From now on no process may return an older version, nor may those that start later. */
  async enforce(floors: readonly number[]): Promise<void> {
    this.#floors = floors
    await this.all(worker => worker.call('enforce', floors))
  }

  nextBarrier(): string {
    return `barrier:${this.#barriers++}`
  }

  /** Closes everything. What does not end by itself is a violation. */
  async stop(): Promise<void> {
    const faults = await this.all(worker => worker.stop())
    for (const [slot, what] of faults.entries()) {
      if (what) this.tell({ kind: 'did not end', what: `process ${slot}: ${what}` })
    }
    await this.end()
  }

  /** Ends everything at once, whatever its state. */
  async end(): Promise<void> {
    await this.all(worker => worker.kill())
    await Promise.all(this.#access.flatMap(({ proxies }) => proxies.map(proxy => proxy.stop())))
    await this.backend.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** Each process has another of the options that bear on an outage. */
  #tieredOptions(slot: number): WorkerOptions['tiered'] {
    const breaker = QUICK_BREAKER
    if (slot === 0) return { breaker, journal: { file: join(this.#directory, 'journal') } }
    if (slot === 1) return { recovery: this.options.seed % 2 === 0 ? 'replay' : 'invalidate' }
    return slot === 2 ? { breaker, maxJournalKeys: SMALL_JOURNAL } : { breaker }
  }

  #startWorker(slot: number, incarnation: number, redis = this.#access[slot]?.redis): Worker {
    const { seed, processes, topology, tracking } = this.options
    const options: WorkerOptions = {
      slot,
      incarnation,
      processes,
      seed,
      redis: redis ?? this.backend.direct,
      prefix: this.prefix,
      bus: tracking && topology !== 'cluster' && slot === 1 ? 'tracking' : 'pubsub',
      maxItems: MAX_ITEMS,
      tiered: this.#tieredOptions(slot),
      floors: this.#floors,
      ownWritesExpected: this.#ownWritesExpected,
    }
    return new Worker(options, this.truth, violation => this.tell(violation))
  }
}

export { MAX_ITEMS }
