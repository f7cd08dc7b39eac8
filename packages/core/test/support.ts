import type { CacheErrorCode, Store } from '@cache/core'
import { CacheError, ManualClock } from '@cache/core'
import { expect } from 'vitest'
import type { Engine } from '../src/engine.ts'
import { Flight } from '../src/flight.ts'
import type { Policy } from '../src/policy.ts'
import { asynchronous, BareStore, FullStore } from './stores.ts'

/** What a call that must reject rejected with; fails when it threw at once instead. */
export async function rejection(call: () => Promise<unknown>): Promise<CacheError> {
  let promise: Promise<unknown>
  try {
    promise = call()
  } catch (thrown) {
    throw new Error('threw instead of rejecting', { cause: thrown })
  }
  const outcome = await promise.then(
    value => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) throw new Error('did not reject')
  expect(outcome.error).toBeInstanceOf(CacheError)
  return outcome.error as CacheError
}

export async function expectRejection(
  call: () => Promise<unknown>,
  code: CacheErrorCode,
  message: RegExp,
): Promise<void> {
  const error = await rejection(call)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
}

/** A store of a test, with the entries that it holds. */
export interface Made {
  readonly clock: ManualClock
  readonly store: Store
  readonly inner: BareStore
}

/** Every kind of store that a cache must behave the same over. */
export const STORES: Readonly<Record<string, () => Made>> = {
  'a synchronous store with every capability': () => make(clock => new FullStore(clock)),
  'a synchronous store with five methods': () => make(clock => new BareStore(clock)),
  'an asynchronous store with every capability': () => make(clock => new FullStore(clock), asynchronous),
  'an asynchronous store with five methods': () => make(clock => new BareStore(clock), asynchronous),
}

function make(
  create: (clock: ManualClock) => BareStore,
  wrap: (inner: BareStore) => Store = inner => inner,
): Made {
  const clock = new ManualClock()
  const inner = create(clock)
  return { clock, inner, store: wrap(inner) }
}

/** A loader that must not be called; a stale value that is served for its failure does not hide that. */
export function never(): never {
  expect.soft('a call of the loader').toBe('no call')
  throw new Error('must not load')
}

/** A loader that the test lets give a value or fail. */
export class ControlledLoader<V> {
  readonly calls: { resolve(value: V): void; reject(error: unknown): void }[] = []

  readonly load: () => Promise<V> = () => {
    const { promise, resolve, reject } = Promise.withResolvers<V>()
    this.calls.push({ resolve, reject })
    return promise
  }
}

/** A flight that only has a key. */
export const flightOf = (key: string): Flight => new Flight({} as Engine, key, {} as Policy)
