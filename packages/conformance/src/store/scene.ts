import type { Awaitable, Entry, Store, WriteOutcome } from '@cache/core'
import { NothingToTry } from '../case.ts'
import { check, equal } from '../expect.ts'
import type { Timeline } from '../timeline.ts'
import type { OpenContext } from './subject.ts'

/** An hour: longer than any case. */
const LIFE_MS = 3_600_000

/** What a case works with: a store that is empty, and time. */
export class Scene<S extends Store = Store> {
  readonly store: S
  readonly context: OpenContext
  readonly time: Timeline
  readonly #open: () => Promise<S>
  readonly #shared: boolean

  constructor(store: S, context: OpenContext, time: Timeline, open: () => Promise<S>, shared: boolean) {
    this.store = store
    this.context = context
    this.time = time
    this.#open = open
    this.#shared = shared
  }

  /** A store over the same data, as another process has it. @throws NothingToTry if this store shares nothing */
  async peer(): Promise<S> {
    if (!this.#shared) throw new NothingToTry('the store shares nothing')
    return this.#open()
  }

  /** Another store, whether it shares the data or not. */
  openAnother(): Promise<S> {
    return this.#open()
  }

  /** An entry that is fresh for `lifeMs`, and there as long. */
  entry(value: unknown, lifeMs: number = LIFE_MS): Entry {
    const createdAt = this.time.now()
    return { value, createdAt, freshUntil: createdAt + lifeMs, expiresAt: createdAt + lifeMs }
  }

  /** Writes a value, which must be `applied`. */
  async put(key: string, value: unknown = key): Promise<Entry> {
    const entry = this.entry(value)
    await this.putEntry(key, entry)
    return entry
  }

  async putEntry(key: string, entry: Entry): Promise<void> {
    applied(await this.store.set(key, entry), `set of ${nameOf(key)}`)
  }

  /** What a key holds must be exactly this. */
  async holds(key: string, entry: Entry | undefined, what: string, store: Store = this.store): Promise<void> {
    equal(await store.get(key), entry, what)
  }

  /** Whether the value of a key is there. */
  async has(key: string, store: Store = this.store): Promise<boolean> {
    return (await store.get(key)) !== undefined
  }
}

/** A write must have been applied. */
export function applied(outcome: WriteOutcome | { readonly status: string }, what: string): void {
  const { error } = outcome as WriteOutcome
  check(
    outcome?.status === 'applied',
    `${what}: the outcome must be applied, but it is ${outcome?.status ?? 'no outcome at all'}${error ? `: ${error.message}` : ''}`,
  )
}

/** How a call ended. */
export type Ending<T> = { readonly value: T } | { readonly thrown: unknown }

/** How a call ends, whether it throws, rejects or answers. */
export async function endingOf<T>(call: () => Awaitable<T>): Promise<Ending<T>> {
  try {
    return { value: await call() }
  } catch (thrown) {
    return { thrown }
  }
}

/** A key in the message of a failure. */
export function nameOf(key: string): string {
  return key.length > 40 ? `a key of ${key.length} characters` : JSON.stringify(key)
}
