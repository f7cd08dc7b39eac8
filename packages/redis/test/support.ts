import { CacheError, type Entry, type TelemetryEvent } from '@cache/core'
import { eventually, RedisServer } from '@cache/test-support'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { RedisStore, type RedisStoreOptions } from '../src/index.ts'
import { Keyspace } from '../src/keyspace.ts'

/** An entry that lives for `ttlMs` from now. */
export function entry(value: unknown, ttlMs = 60_000): Entry {
  const createdAt = Date.now()
  return { value, createdAt, freshUntil: createdAt + ttlMs / 2, expiresAt: createdAt + ttlMs }
}

/** A server for the test at hand alone. */
export async function ownServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await RedisServer.start(args)
  onTestFinished(() => {
    server.thaw()
    return server.stop()
  })
  return server
}

/** A store that is closed when the test is over. */
export function openStore(options: RedisStoreOptions): RedisStore {
  const store = new RedisStore(options)
  onTestFinished(() => store.close())
  return store
}

/** A store for tests that are not about time: a busy machine must not make them fail. */
export function patientStore(options: RedisStoreOptions): RedisStore {
  return openStore({ ...options, timeouts: { read: '10s', write: '10s', connect: '10s' } })
}

/** Waits until every connection of a store stands, whether its bus can listen or not. */
export function pooled(store: RedisStore): Promise<void> {
  const stand = (): boolean => store.health().pool?.ready === store.health().pool?.size
  return eventually('connected', stand, 30_000)
}

/** Waits until every connection of a store stands, and it knows all that was invalidated. */
export async function connected(store: RedisStore): Promise<void> {
  await pooled(store)
  await eventually('listening', () => store.bus.connected)
  await store.get('not there, but asking brings it up to date')
  // What it began to ask when it began to listen may still be under way, or about to be.
  await new Promise(resolve => setImmediate(resolve))
  await eventually('idle', () => store.health().pool?.inFlight === 0)
}

/** All that Redis holds but for the own keys of a store with this prefix, sorted. */
export async function keysBesideOwn(client: Redis, prefix: string): Promise<string[]> {
  const keyspace = new Keyspace(prefix)
  const isOwn = (key: string): boolean => key.startsWith(prefix) && keyspace.entryKeyOf(key) === undefined
  return (await client.keys('*')).filter(key => !isOwn(key)).sort()
}

/** An ordinary client, to look at Redis beside the store. */
export function openClient(url: string): Redis {
  const client = new Redis(url)
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

/** Everything a store tells from now on. */
export function eventsOf(store: RedisStore): TelemetryEvent[] {
  const events: TelemetryEvent[] = []
  store.observe({ event: event => events.push(event) })
  return events
}

/** The code with which a call rejects, or `undefined` if it does not. */
export async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call
    return undefined
  } catch (thrown) {
    if (thrown instanceof CacheError) return thrown.code
    throw thrown
  }
}

/** How many milliseconds a call takes, however it ends. */
export async function durationOf(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await call().catch(() => {})
  return performance.now() - start
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
