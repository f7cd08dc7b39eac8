import type { Cache, WriteOutcome } from '@cache/core'
import { sleep } from './clock.ts'
import { groupOf, KEYS, nameOf, ownerOf, tagsOf } from './keys.ts'
import type { Intent, ReadKind, Versioned, WriteKind } from './protocol.ts'
import type { Random } from './random.ts'

/** Judges every call; what it is given runs at once. */
interface Judge {
  read(
    kind: ReadKind,
    keys: readonly number[],
    call: () => Promise<readonly (Versioned | undefined)[]>,
  ): Promise<void>
  write(
    kind: WriteKind,
    written: ReadonlyMap<number, number>,
    call: () => Promise<WriteOutcome>,
  ): Promise<void>
}

interface Source {
  load(keys: readonly number[]): Promise<readonly number[]>
  bump(intent: Intent): Promise<readonly (number | null)[]>
}

export interface WorkloadOptions {
  readonly cache: Cache<Versioned>
  readonly judge: Judge
  readonly source: Source
  readonly random: Random
  readonly slot: number
  readonly processes: number
}

const READERS = 6
const WRITERS = 2
/** Mean, in milliseconds, between two calls of one of them. */
const READ_PAUSE = 12
const WRITE_PAUSE = 90

const READS: Readonly<Record<ReadKind, number>> = { getOrSet: 60, get: 20, getMany: 8, getOrSetMany: 12 }
const WRITES: Readonly<Record<WriteKind, number>> = {
  delete: 40,
  set: 35,
  deleteMany: 7,
  setMany: 8,
  invalidateTags: 9,
  // Rare, for what they drop cannot be found stale any more.
  'clear of a namespace': 0.8,
  clear: 0.2,
}

const BURST: readonly WriteKind[] = ['set', 'set', 'set', 'delete', 'setMany', 'delete']

/** Readers and writers that go on until they are told to pause. */
export class Workload {
  readonly #options: WorkloadOptions
  readonly #writable: readonly number[]
  readonly #loading = new Set<number>()
  #running: Promise<unknown> = Promise.resolve()
  #paused = true

  constructor(options: WorkloadOptions) {
    this.#options = options
    const { slot, processes } = options
    const all = Array.from({ length: KEYS }, (_, key) => key)
    this.#writable = all.filter(key => (ownerOf(key, processes) ?? slot) === slot)
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#running = Promise.all([
      ...Array.from({ length: READERS }, () => this.#repeat(READ_PAUSE, () => this.#read())),
      ...Array.from({ length: WRITERS }, () => this.#repeat(WRITE_PAUSE, () => this.#write())),
    ])
  }

  /** @returns when no call is under way any more */
  async pause(): Promise<void> {
    this.#paused = true
    await this.#running
  }

  async #repeat(meanMs: number, step: () => Promise<void>): Promise<void> {
    while (!this.#paused) {
      await sleep(this.#options.random.next() * 2 * meanMs)
      if (!this.#paused) await step()
    }
  }

  #read(): Promise<void> {
    const { random, cache, judge } = this.#options
    const kind = random.weighted(READS)
    const keys = kind.endsWith('Many') ? this.#someKeys(4) : [this.#anyKey()]
    const [key = 0] = keys
    const names = keys.map(nameOf)
    if (kind === 'get') return judge.read(kind, keys, async () => [await cache.get(nameOf(key))])
    if (kind === 'getMany') {
      return judge.read(kind, keys, async () => {
        const found = await cache.getMany(names)
        return names.map(name => found.get(name))
      })
    }
    const tags = tagsOf(key)
    const options = tags ? { tags } : {}
    if (kind === 'getOrSet') {
      return judge.read(kind, keys, async () => [
        await cache.getOrSet(nameOf(key), async () => (await this.#load([key]))[0] as Versioned, options),
      ])
    }
    return judge.read(kind, keys, async () => {
      const found = await cache.getOrSetMany(
        names,
        async missing => {
          const loaded = await this.#load(missing.map(name => keys[names.indexOf(name)] as number))
          return new Map(loaded.map(value => [nameOf(value.key), value]))
        },
        options,
      )
      return names.map(name => found.get(name))
    })
  }

  async #load(keys: readonly number[]): Promise<Versioned[]> {
    for (const key of keys) this.#loading.add(key)
    const versions = await this.#options.source.load(keys)
    for (const key of keys) this.#loading.delete(key)
    return keys.map((key, i) => this.#value(key, versions[i] as number))
  }

  /** Some writes at once. @returns when they have been sent */
  async burst(): Promise<void> {
    if (this.#paused) return
    const writes = BURST.map(kind => this.#write(kind))
    this.#running = Promise.all([this.#running, ...writes])
    await sleep(50)
  }

  async #write(kind = this.#options.random.weighted(WRITES)): Promise<void> {
    const { random, judge, source } = this.#options
    const candidates = this.#writable.filter(key => {
      if (kind === 'invalidateTags') return tagsOf(key) !== undefined
      return kind !== 'setMany' || tagsOf(key) === undefined
    })
    const wanted = kind.endsWith('Many')
      ? random.shuffled(candidates).slice(0, random.between(2, 4))
      : [random.pick(this.#endangered(candidates))]
    const versions = await source.bump({ kind, keys: wanted })
    const written = new Map<number, number>()
    for (const [i, version] of versions.entries()) {
      if (version !== null) written.set(wanted[i] as number, version)
    }
    const [first] = written.keys()
    if (first === undefined) return
    await judge.write(kind, written, () => this.#invalidate(kind, first, written))
  }

  #invalidate(kind: WriteKind, first: number, written: ReadonlyMap<number, number>): Promise<WriteOutcome> {
    const { cache } = this.#options
    const tags = tagsOf(first)
    if (kind === 'delete') return cache.delete(nameOf(first))
    if (kind === 'deleteMany') return cache.deleteMany([...written.keys()].map(nameOf))
    if (kind === 'invalidateTags') return cache.invalidateTags([...(tags ?? [])])
    if (kind === 'clear') return cache.clear()
    if (kind === 'clear of a namespace') return cache.namespace(groupOf(first)).clear()
    const values = [...written].map(([key, version]) => this.#value(key, version))
    if (kind === 'setMany') return cache.setMany(values.map(value => [nameOf(value.key), value] as const))
    return cache.set(nameOf(first), values[0] as Versioned, tags ? { tags } : {})
  }

  /** What is being loaded just now is the most likely to come back; half of the time, if there is any. */
  #endangered(candidates: readonly number[]): readonly number[] {
    const loading = candidates.filter(key => this.#loading.has(key))
    return loading.length > 0 && this.#options.random.chance(0.5) ? loading : candidates
  }

  #value(key: number, version: number): Versioned {
    // Some span several packets, and are compressed.
    return { key, version, padding: key % 7 === 0 ? `${key}`.repeat(4_000) : '' }
  }

  #anyKey(): number {
    // Some keys are hotter than others.
    return Math.min(this.#options.random.below(KEYS), this.#options.random.below(KEYS))
  }

  #someKeys(count: number): number[] {
    const first = this.#anyKey()
    // With the same tags, for they are loaded together: every 18th key has the same tag, and keys without one are many.
    const alike = Array.from({ length: KEYS }, (_, key) => key).filter(
      key => `${tagsOf(key)}` === `${tagsOf(first)}` && key !== first,
    )
    return [first, ...this.#options.random.shuffled(alike).slice(0, count - 1)]
  }
}
