import { toCall } from './arguments.ts'
import { type Awaitable, isPending } from './awaitable.ts'
import type { CallOptions, GetOptions } from './cache-options.ts'
import { CHANNELS, hitOf, messageOf, traced } from './channels.ts'
import { toMilliseconds } from './duration.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { isFresh } from './freshness.ts'
import { readFresh } from './near-read.ts'
import { isNegative, unwrap } from './negative.ts'
import type { Policy } from './policy.ts'
import { type ReadThrough, readThrough } from './read-through.ts'
import { readSliding } from './slide.ts'
import { read } from './validated-read.ts'
import type { View } from './view.ts'

/** The value of a key if it is fresh. */
export function get(view: View, key: string, options: GetOptions | undefined): Promise<unknown> {
  if (!CHANNELS.get.hasSubscribers) return getValue(view, key, options)
  return traced(CHANNELS.get, messageOf(view, 'get', 1), () => getValue(view, key, options), hitOf)
}

function getValue(view: View, key: string, options: GetOptions | undefined): Promise<unknown> {
  try {
    const { engine } = view
    const near = options === undefined ? readFresh(view, key, view.policy) : undefined
    if (near !== undefined) return Promise.resolve(unwrap(near))
    const address = view.open(key)
    const found = find(view, address, options)
    if (isPending(found)) return found.then(entry => counted(engine, address, entry))
    return Promise.resolve(counted(engine, address, found))
  } catch (error) {
    return Promise.reject(error)
  }
}

function find(
  { engine, policy }: View,
  address: string,
  options: GetOptions | undefined,
): Awaitable<Entry | undefined> {
  if (options === undefined) return read(engine, policy.schema, address)
  const call = toCall(options)
  if (options.ttl === undefined) return read(engine, policy.schema, address, call)
  return readSliding(engine, policy.schema, address, toMilliseconds(options.ttl, 'ttl', 'INVALID_TTL'), call)
}

/** The entry of a key, fresh or stale. */
export function getEntry(
  view: View,
  key: string,
  options: CallOptions | undefined,
): Promise<Entry | undefined> {
  if (!CHANNELS.get.hasSubscribers) return findEntry(view, key, options)
  return traced(CHANNELS.get, messageOf(view, 'getEntry', 1), () => findEntry(view, key, options), hitOf)
}

async function findEntry(
  view: View,
  key: string,
  options: CallOptions | undefined,
): Promise<Entry | undefined> {
  const { engine, policy } = view
  const address = view.open(key)
  const entry = await read(engine, policy.schema, address, toCall(options))
  const value = counted(engine, address, entry)
  if (!entry || isNegative(entry)) return undefined
  if (value === undefined) engine.stale(address)
  return entry
}

/** Whether a key has a fresh value. */
export function has(view: View, key: string, options: CallOptions | undefined): Promise<boolean> {
  if (!CHANNELS.get.hasSubscribers) return hasValue(view, key, options)
  return traced(
    CHANNELS.get,
    messageOf(view, 'has', 1),
    () => hasValue(view, key, options),
    hit => ({ hit }),
  )
}

async function hasValue(view: View, key: string, options: CallOptions | undefined): Promise<boolean> {
  const { engine, policy } = view
  const entry = await read(engine, policy.schema, view.open(key), toCall(options))
  return isFresh(engine, entry) && !isNegative(entry)
}

/** The value of a key, from the loader if need be. @throws CacheError `INVALID_KEY`, `CLOSED` */
export function getOrSet(
  view: View,
  key: string,
  loader: ReadThrough['loader'],
  policy: Policy,
): Promise<unknown> {
  if (!CHANNELS.getOrSet.hasSubscribers) return load(view, key, loader, policy)
  const message = messageOf(view, 'getOrSet', 1)
  return traced(CHANNELS.getOrSet, message, () => load(view, key, loader, policy))
}

function load(view: View, key: string, loader: ReadThrough['loader'], policy: Policy): Promise<unknown> {
  const { engine } = view
  const near = policy.signal?.aborted ? undefined : readFresh(view, key, policy, loader)
  if (near !== undefined) return Promise.resolve(unwrap(near))
  return readThrough(engine, { address: view.open(key), key, loader, policy })
}

/** What a read without a loader gives for an entry. */
function counted(engine: Engine, address: string, entry: Entry | undefined): unknown {
  if (!isFresh(engine, entry)) {
    engine.miss(address)
    return undefined
  }
  engine.hit(address)
  return unwrap(entry)
}
