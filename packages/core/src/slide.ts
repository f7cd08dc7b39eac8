import { type Awaitable, isPending } from './awaitable.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { isNegative } from './negative.ts'
import type { Validator } from './schema.ts'
import type { StoreCall } from './store.ts'
import { read } from './validated-read.ts'

/**
 * Reads a key and lets a hit be fresh at least `ttl` milliseconds from now (sliding expiry); its grace stays as long as it was. When
 * the store cannot be told, the entry keeps the time it has.
 */
export function readSliding(
  engine: Engine,
  schema: Validator | undefined,
  key: string,
  ttl: number,
  call?: StoreCall,
): Awaitable<Entry | undefined> {
  const found = read(engine, schema, key, call)
  if (!isPending(found)) return found && extend(engine, key, found, ttl)

  const current = new Set([key])
  const release = engine.flights.hold(current, 'load')
  return found
    .then(entry => (entry && current.has(key) ? extend(engine, key, entry, ttl) : entry))
    .finally(release)
}

/** The entry was read just now, and its key was not invalidated since. */
async function extend(engine: Engine, key: string, entry: Entry, ttl: number): Promise<Entry> {
  const now = engine.clock.now()
  const until = now + ttl
  const end = Math.min(entry.freshUntil, entry.expiresAt)
  if (until > end && end > now && !isNegative(entry)) {
    await engine.aside('touch', () => move(engine, key, entry, until))
  }
  return entry
}

function move(engine: Engine, key: string, entry: Entry, freshUntil: number): ReturnType<Engine['write']> {
  const { touching, store } = engine
  const { tags } = entry
  const expiresAt = freshUntil + Math.max(0, entry.expiresAt - entry.freshUntil)
  if (touching) {
    return engine.write('touch', () =>
      tags ? touching.touch(key, freshUntil, expiresAt, tags) : touching.touch(key, freshUntil, expiresAt),
    )
  }
  return engine.write('set', () => store.set(key, { ...entry, freshUntil, expiresAt }))
}
