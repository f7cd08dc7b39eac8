import { invalidOption } from './errors.ts'
import { loadEach, type ManyLoader } from './many-loader.ts'
import { integer } from './options.ts'

export interface BatchLoaderOptions {
  /** Most keys of one call; more make several calls. An integer >= 1. @default 100 */
  readonly maxBatch?: number
}

/**
 * A loader for single `getOrSet` calls that gets the values of all keys asked for in one turn of the event loop by one call
 * (after Facebook's DataLoader). All else is as with any loader: calls for a key share its load, and each key is stored for
 * itself.
 *
 * @param loadMissing as of `getOrSetMany`: a key that is not in what it returns was not found. What it throws, all keys of
 *   that call fail with
 * @throws CacheError `INVALID_OPTION`
 */
export function batchLoader<V>(
  loadMissing: ManyLoader<V>,
  options: BatchLoaderOptions = {},
): (context: { readonly key: string }) => Promise<V | undefined> {
  if (typeof loadMissing !== 'function') throw invalidOption('loadMissing', loadMissing, 'a function')
  const maxBatch = integer(options.maxBatch ?? 100, 'maxBatch', 1)
  let open: Batch<V> | undefined

  return ({ key }) => {
    if (!open || open.hasLeft || (open.size >= maxBatch && !open.has(key))) open = new Batch(loadMissing)
    return open.load(key)
  }
}

/** The keys of one call. */
class Batch<V> {
  readonly #loadMissing: ManyLoader<V>
  readonly #promises = new Map<string, Promise<V | undefined>>()
  readonly #loading: Promise<ReadonlyMap<string, V | undefined>>
  /** Whether it takes no more keys. */
  hasLeft = false

  constructor(loadMissing: ManyLoader<V>) {
    this.#loadMissing = loadMissing
    this.#loading = this.#load()
  }

  get size(): number {
    return this.#promises.size
  }

  has(key: string): boolean {
    return this.#promises.has(key)
  }

  load(key: string): Promise<V | undefined> {
    const promise = this.#promises.get(key) ?? this.#loading.then(values => values.get(key))
    this.#promises.set(key, promise)
    return promise
  }

  async #load(): Promise<ReadonlyMap<string, V | undefined>> {
    await endOfTurn()
    this.hasLeft = true
    const keys = [...this.#promises.keys()]
    const values = await loadEach(this.#loadMissing, keys)
    return new Map(keys.map((key, index) => [key, values[index]]))
  }
}

/** When all that only waits for promises has gone on: then `nextTick` comes, for all that waited at once. */
function endOfTurn(): Promise<void> {
  return new Promise(resolve => queueMicrotask(() => process.nextTick(resolve)))
}
