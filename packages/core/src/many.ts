import { pairs, toCall } from './arguments.ts'
import { isPending } from './awaitable.ts'
import * as batch from './batch.ts'
import type { CallOptions, Items, LoadOptions, WriteOptions } from './cache-options.ts'
import { CHANNELS, foundOf, messageOf, traced, tracedWrite } from './channels.ts'
import type { Entry } from './entry.ts'
import { invalidOption } from './errors.ts'
import { isFresh } from './freshness.ts'
import type { ManyLoader } from './many-loader.ts'
import { unwrap } from './negative.ts'
import type { WriteOutcome, WriteStatus } from './outcome.ts'
import { readThroughMany } from './read-through-many.ts'
import type { StoreCall } from './store.ts'
import { readMany } from './validated-read.ts'
import type { View } from './view.ts'

/** The values of those keys that have a fresh one, in the order of `keys`. */
export async function getMany(
  view: View,
  keys: Iterable<string>,
  options?: CallOptions,
): Promise<Map<string, unknown>> {
  const addresses = view.addresses(keys)
  const call = toCall(options)
  if (!CHANNELS.getMany.hasSubscribers) return readValues(view, addresses, call)
  const message = messageOf(view, 'getMany', addresses.size)
  return traced(CHANNELS.getMany, message, () => readValues(view, addresses, call), foundOf)
}

async function readValues(
  { engine, batchSize, policy }: View,
  addresses: ReadonlyMap<string, string>,
  call: StoreCall | undefined,
): Promise<Map<string, unknown>> {
  const found = await readMany(engine, policy.schema, [...addresses.keys()], batchSize, call)
  const values = new Map<string, unknown>()
  for (const [address, key] of addresses) {
    const entry = found.get(address)
    if (!isFresh(engine, entry)) {
      engine.miss(address)
      continue
    }
    engine.hit(address)
    const value = unwrap(entry)
    if (value !== undefined) values.set(key, value)
  }
  return values
}

/** The values of many keys, from the loader as far as need be. */
export async function getOrSetMany<V>(
  view: View,
  keys: Iterable<string>,
  loadMissing: ManyLoader<V>,
  options: LoadOptions | undefined,
): Promise<Map<string, V>> {
  const addresses = view.addresses(keys)
  if (typeof loadMissing !== 'function') throw invalidOption('loadMissing', loadMissing, 'a function')
  const call = { addresses, loadMissing, policy: view.policyFor(options), batchSize: view.batchSize }
  if (!CHANNELS.getOrSetMany.hasSubscribers) return readThroughMany(view.engine, call)
  const message = messageOf(view, 'getOrSetMany', addresses.size)
  return traced(CHANNELS.getOrSetMany, message, () => readThroughMany(view.engine, call), foundOf)
}

/** Writes many values under one set of options; all are checked before anything is written. */
export async function setMany<V>(view: View, items: Items<V>, options?: WriteOptions): Promise<WriteOutcome> {
  view.engine.life.assertOpen()
  const call = toCall(options)
  const entries = new Map<string, Entry>()
  const pending: Promise<unknown>[] = []
  const addresses: string[] = []
  for (const [key, value] of pairs(items)) {
    const address = view.address(key)
    const made = view.entry(value, options)
    addresses.push(address)
    if (isPending(made)) pending.push(made.then(entry => entries.set(address, entry)))
    else entries.set(address, made)
  }
  const write = (left: ReadonlyMap<string, Entry>): Promise<WriteOutcome> => {
    // A single chunk is checked by the store as it writes it.
    if (left.size > view.batchSize) {
      for (const [address, entry] of left) view.engine.checking?.check(address, entry)
    }
    return writeMany(view, left, call)
  }
  const { pendingSets } = view.engine
  if (pending.length === 0 && pendingSets.areFree(addresses)) return write(entries)
  return pendingSets.take(
    addresses,
    Promise.all(pending).then(() => entries),
    write,
  )
}

/** Writes entries by whole key. */
export function writeMany(
  view: View,
  entries: ReadonlyMap<string, Entry>,
  call?: StoreCall,
): Promise<WriteOutcome> {
  return tracedWrite(view, 'setMany', entries.size, async () => {
    const outcome = await batch.setMany(view.engine, entries, view.batchSize, call)
    view.engine.counts.sets += entries.size
    tellEach(view, 'set', entries.keys(), outcome)
    return view.named(outcome)
  })
}

export async function deleteMany(
  view: View,
  keys: Iterable<string>,
  options?: CallOptions,
): Promise<WriteOutcome> {
  const addresses = [...view.addresses(keys).keys()]
  const call = toCall(options)
  return tracedWrite(view, 'deleteMany', addresses.length, async () => {
    for (const address of addresses) view.engine.pendingSets.outdate(address)
    const outcome = await batch.deleteMany(view.engine, addresses, view.batchSize, call)
    view.engine.counts.deletes += addresses.length
    tellEach(view, 'delete', addresses, outcome)
    return view.named(outcome)
  })
}

function tellEach(
  { engine: { events } }: View,
  type: 'set' | 'delete',
  addresses: Iterable<string>,
  { status, failures }: WriteOutcome,
): void {
  if (!events.has(type)) return
  const others: WriteStatus = failures ? 'applied' : status
  for (const key of addresses) events.emit(type, { key, status: failures?.has(key) ? 'failed' : others })
}
