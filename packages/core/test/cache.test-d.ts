import {
  batchLoader,
  Cache,
  type CacheEvents,
  type CacheOptions,
  type CacheReport,
  type Duration,
  type Entry,
  type Kept,
  type LoadContext,
  type Loader,
  type Store,
  type WarmUpProgress,
  type Wrapped,
  type WriteOutcome,
} from '@cache/core'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'

/** Compiled by `tsc -p packages/core`, never run: what must not compile is marked as an error that is expected. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(proof: Equal<A, B>): void

interface User {
  readonly name: string
}
interface Admin extends User {
  readonly rights: readonly string[]
}

declare const store: Store
declare const anything: Cache
declare const users: Cache<User>
declare const admin: Admin

export async function inference(): Promise<void> {
  const loaded = await anything.getOrSet('k', () => 5)
  same<typeof loaded, number>(true)
  const later = await anything.getOrSet('k', async ({ key }) => ({ key }))
  same<typeof later, { key: string }>(true)
  const perhaps = await anything.getOrSet('k', async (): Promise<User | undefined> => undefined)
  same<typeof perhaps, User | undefined>(true)
  const special = await users.getOrSet('k', () => admin)
  same<typeof special, Admin>(true)
  const many = await users.getOrSetMany(['k'], () => ({ k: admin }))
  same<typeof many, Map<string, Admin>>(true)
  const manyLater = await anything.getOrSetMany(['k'], async keys => new Map(keys.map(key => [key, 1])))
  same<typeof manyLater, Map<string, number>>(true)

  const absent = await users.getOrSet('k', async (): Promise<User | undefined> => undefined)
  same<typeof absent, User | undefined>(true)
  const kept = await users.getOrSet('k', ({ stale, keep }) => (stale ? keep() : admin))
  same<typeof kept, Admin>(true)
  const keptLater = await users.getOrSet('k', async ({ keep }) => (admin.name ? keep() : admin))
  same<typeof keptLater, Admin>(true)
  await users.getOrSet('k', context => {
    same<typeof context, LoadContext<User>>(true)
    same<typeof context.stale, Entry<User> | undefined>(true)
    return admin
  })
  const named: Loader<User> = ({ key, signal }) => ({ name: `${key} ${signal.aborted}` })
  const byName = await users.getOrSet('k', named)
  same<typeof byName, User>(true)
  const batched = await users.getOrSet(
    'k',
    batchLoader(async keys => new Map(keys.map(key => [key, admin]))),
  )
  same<typeof batched, Admin | undefined>(true)

  const found = await users.get('k')
  same<typeof found, User | undefined>(true)
  const unknown = await anything.get('k')
  same<typeof unknown, unknown>(true)
  const said = await anything.get<User>('k')
  same<typeof said, User | undefined>(true)
  const entry = await users.getEntry('k')
  same<typeof entry, Entry<User> | undefined>(true)
  const map = await users.getMany(['k'])
  same<typeof map, Map<string, User>>(true)
  same<Awaited<ReturnType<typeof users.setMany>>, WriteOutcome>(true)
  same<Awaited<ReturnType<typeof users.warm>>, WarmUpProgress>(true)
  same<ReturnType<typeof users.stats>, CacheReport>(true)

  const admins = users.namespace<Admin>('admins')
  same<typeof admins, Cache<Admin>>(true)
  const inherited = users.namespace('all')
  same<typeof inherited, Cache<User>>(true)
}

export async function values(): Promise<void> {
  await users.set('k', { name: 'Ada' })
  // @ts-expect-error a value of another type
  await users.set('k', 5)
  // @ts-expect-error a value of another type among many
  await users.setMany({ k: 5 })
  // @ts-expect-error a value of another type among pairs
  await users.setMany([['k', 5]])
  // @ts-expect-error a loader of another type
  await users.getOrSet('k', () => 5)
  // @ts-expect-error what keep gives cannot be made up
  await users.getOrSet('k', (): Kept => ({}))
  const numbers = batchLoader(() => ({ k: 5 }))
  // @ts-expect-error a batch loader of another type
  await users.getOrSet('k', numbers)
  // @ts-expect-error a loader of many of another type
  await users.getOrSetMany(['k'], () => ({ k: 5 }))
  // @ts-expect-error a warm-up of another type
  await users.warm([['k', 5]])
  // @ts-expect-error reading as what it cannot be
  await users.get<number>('k')
  // @ts-expect-error a namespace of what it cannot hold
  users.namespace<number>('numbers')
  // @ts-expect-error a loader is needed
  await users.getOrSet('k')
  // @ts-expect-error a key is a string
  await users.get(7)
}

export async function options(): Promise<void> {
  const durations: Duration[] = [5, 0.5, '250ms', '30s', '5m', '1.5h', '7d']
  for (const ttl of durations) await anything.set('k', 1, { ttl })
  // @ts-expect-error words are no unit
  await anything.set('k', 1, { ttl: '5 minutes' })
  // @ts-expect-error a number without a unit is a number
  await anything.set('k', 1, { ttl: '5' })
  // @ts-expect-error an option that does not exist
  await anything.set('k', 1, { tll: 5 })
  // @ts-expect-error options are an object
  await anything.set('k', 1, 5)
  // @ts-expect-error metadata is an object
  await anything.set('k', 1, { metadata: 'text' })
  // @ts-expect-error get writes no metadata
  await anything.get('k', { metadata: {} })
  // @ts-expect-error an absent option is left out, not undefined
  await anything.set('k', 1, { ttl: undefined })

  const { signal } = new AbortController()
  const reading = { grace: '1h', jitter: 0.1, refreshAhead: 0.8, earlyRefresh: 1, softTimeout: 0 } as const
  const times = { hardTimeout: '2s', negativeTtl: 5, errorTtl: '5s' } as const
  const off = { refreshAhead: false, earlyRefresh: false, softTimeout: false, hardTimeout: false } as const
  new Cache({ store, ...reading, ...times, random: Math.random })
  anything.namespace('n', { ...reading, ...times })
  await anything.getOrSet('k', () => 1, { ...reading, ...times, tags: ['t'], signal })
  await anything.getOrSetMany(['k'], () => ({}), { ...off, negativeTtl: false, errorTtl: false, signal })
  await anything.set('k', 1, { grace: 5, jitter: 0 })
  // @ts-expect-error writing waits for no loader
  await anything.set('k', 1, { softTimeout: 0 })
  // @ts-expect-error a signal is a call's own
  new Cache({ store, signal })
  // @ts-expect-error only false switches off
  await anything.getOrSet('k', () => 1, { refreshAhead: true })

  new Cache({ store, namespace: 'n', ttl: '5m', batchSize: 10 })
  // @ts-expect-error a store is needed
  new Cache({})
  // @ts-expect-error an option that does not exist
  new Cache({ store, maxItems: 5 })
  // @ts-expect-error an absent option is left out, not undefined
  new Cache({ store, ttl: undefined })
  const fixed: CacheOptions = { store }
  // @ts-expect-error options are read once
  fixed.ttl = 5
}

export function events(): void {
  anything.on('hit', ({ key }) => same<typeof key, string>(true))
  anything.on('stale', event => same<typeof event, { readonly key: string }>(true))
  anything.on('refresh', event => same<typeof event, CacheEvents['refresh']>(true))
  anything.on('refresh', ({ outcome }) => same<typeof outcome, 'ok' | 'error'>(true))
  anything.on('invalidated', event => {
    // @ts-expect-error it is a key or a scope
    event.key
  })
  // @ts-expect-error an event that does not exist
  anything.on('hits', () => {})
}

export async function entries(): Promise<void> {
  const entry = await users.getEntry('k')
  // @ts-expect-error entries are read
  if (entry) entry.value = { name: 'Eve' }
  // @ts-expect-error a store has five methods
  const incomplete: Store = { name: 'x', get: () => undefined }
  new Cache({ store: incomplete })
}

declare class Repository {
  find(this: Repository, id: number): Promise<User>
}
declare const repository: Repository

export async function wrapping(): Promise<void> {
  const find = anything.wrap(async (id: number, language?: 'de' | 'en') => ({ id, language }), {
    prefix: 'find',
  })
  same<
    typeof find,
    Wrapped<[id: number, language?: 'de' | 'en'], { id: number; language: 'de' | 'en' | undefined }>
  >(true)
  same<Awaited<ReturnType<typeof find>>, { id: number; language: 'de' | 'en' | undefined }>(true)
  same<ReturnType<typeof find.key>, string>(true)
  same<Awaited<ReturnType<typeof find.invalidate>>, WriteOutcome>(true)
  const perhaps = users.wrap((name: string): User | undefined => ({ name }), { prefix: 'perhaps', ttl: '5m' })
  same<Awaited<ReturnType<typeof perhaps>>, User | undefined>(true)
  anything.wrap(() => 1, { prefix: 'nothing to tell apart' })
  anything.wrap((...ids: readonly bigint[]) => ids.length, { prefix: 'rest' })
  const byUser = anything.wrap((user: User, depth: number) => user.name.repeat(depth), {
    key: (user, depth) => {
      same<typeof user, User>(true)
      same<typeof depth, number>(true)
      return `${user.name}:${depth}`
    },
    tags: user => [user.name],
    grace: '1h',
  })
  same<Awaited<ReturnType<typeof byUser>>, string>(true)

  // @ts-expect-error the calls must be told apart
  anything.wrap((id: number) => id, {})
  // @ts-expect-error by something
  anything.wrap((id: number) => id)
  // @ts-expect-error an object needs a key
  anything.wrap((user: User) => user.name, { prefix: 'users' })
  // @ts-expect-error as one among primitives does
  anything.wrap((id: number, user: User) => user.name + id, { prefix: 'users' })
  // @ts-expect-error a symbol has no text of its own
  anything.wrap((symbol: symbol) => symbol, { prefix: 'symbols' })
  // biome-ignore lint/suspicious/noExplicitAny: what anything may be is what is refused
  const loose = (argument: any): number => argument
  // @ts-expect-error what may be anything needs a key
  anything.wrap(loose, { prefix: 'loose' })
  // @ts-expect-error as does what is not known
  anything.wrap((argument: unknown) => argument, { prefix: 'unknown' })
  // @ts-expect-error one of them is enough
  anything.wrap((id: number) => id, { prefix: 'ids', key: String })
  // @ts-expect-error a key is a string
  anything.wrap((id: number) => id, { key: id => id })
  // @ts-expect-error of the arguments
  anything.wrap((id: number) => id, { key: (user: User) => user.name })
  // @ts-expect-error what the cache cannot hold
  users.wrap((id: number) => id, { prefix: 'ids' })
  // @ts-expect-error a method needs its object
  anything.wrap(repository.find, { prefix: 'find' })
  anything.wrap((id: number) => repository.find(id), { prefix: 'find' })
  // @ts-expect-error an option that does not exist
  anything.wrap((id: number) => id, { prefix: 'ids', tll: 5 })
  // @ts-expect-error arguments of another type
  await find('7')
  // @ts-expect-error here too
  await find.invalidate('7')
}

export async function schemas(): Promise<void> {
  const zod = z.object({ id: z.number(), at: z.coerce.date(), role: z.string().default('reader') })
  interface Made {
    id: number
    at: Date
    role: string
  }
  const cache = new Cache({ store, schema: zod })
  same<typeof cache, Cache<Made>>(true)
  const read = await cache.get('k')
  same<typeof read, Made | undefined>(true)
  const loaded = await cache.getOrSet('k', (): Made => ({ id: 1, at: new Date(), role: 'admin' }))
  same<typeof loaded, Made>(true)
  // @ts-expect-error what goes in looks like what comes out
  await cache.set('k', { id: 1, at: '1970-01-01' })
  // @ts-expect-error a loader too
  await cache.getOrSet('k', () => ({ id: '1' }))

  const byValibot = anything.namespace('n', { schema: v.object({ id: v.number() }), version: 3 })
  same<typeof byValibot, Cache<{ id: number }>>(true)
  const byArktype = anything.namespace('n', { schema: type({ id: 'number' }), ttl: '5m' })
  same<typeof byArktype, Cache<{ id: number }>>(true)
  const withoutSchema = new Cache({ store, version: '2026-11' })
  same<typeof withoutSchema, Cache<unknown>>(true)
  const said = new Cache<User>({ store, schema: z.object({ name: z.string() }) })
  same<typeof said, Cache<User>>(true)
  const options: CacheOptions = { store, grace: 5 }
  same<Cache<User>, typeof said>(true)
  new Cache<User>({ ...options })

  // @ts-expect-error a schema of something else
  new Cache<User>({ store, schema: z.number() })
  // @ts-expect-error a namespace of what the cache cannot hold
  users.namespace('n', { schema: z.number() })
  // @ts-expect-error no schema
  new Cache({ store, schema: (value: unknown) => value })
  // @ts-expect-error a schema is not a call's own
  await anything.getOrSet('k', () => 1, { schema: z.number() })
  // @ts-expect-error a version is a number or a word
  anything.namespace('n', { version: true })
}

// Warm-up: values of the cache's type, or keys and one kind of loader.
{
  const cache = new Cache<number>({ store })
  cache.warm([['a', 1]], { overwrite: true })
  cache.warm(new Map([['a', 1]]), { concurrency: 2, onProgress: ({ done, total }) => done + (total ?? 0) })
  cache.warm(['a'], { load: ({ key }) => key.length, ttl: '1m', tags: ['t'] })
  cache.warm(new Set(['a']), { loadMissing: keys => new Map(keys.map(key => [key, key.length])) })
  // @ts-expect-error a value of another type
  cache.warm([['a', 'one']])
  // @ts-expect-error keys without a loader
  cache.warm(['a'])
  // @ts-expect-error a loader of another type
  cache.warm(['a'], { load: () => 'one' })
  // @ts-expect-error both
  cache.warm(['a'], { load: () => 1, loadMissing: () => new Map() })
  // @ts-expect-error there is nothing to overwrite by a loader
  cache.warm(['a'], { load: () => 1, overwrite: true })
}

// The arguments of a wrapped function are those of the function, whatever its options look at of them.
{
  const cache = new Cache({ store })
  const find = async (id: number, language = 'en') => `${id} ${language}`
  const user = cache.wrap(find, { prefix: 'user', tags: id => [`user:${id}`] })
  user(7, 'de')
  user.key(7)
  cache.wrap(async (id: number, page: number) => id + page, { key: id => `list:${id}` })(7, 2)
}
