import { type Awaitable, isPending } from './awaitable.ts'
import type { Engine } from './engine.ts'
import { type Entry, isExpired } from './entry.ts'

/**
 * Reads a key and lets a hit live at least `ttl` milliseconds from now (sliding expiry). When the store cannot be
 * told, the entry keeps the time it has.
 */
export function readSliding(engine: Engine, key: string, ttl: number): Awaitable<Entry | undefined> {
  const found = engine.read(key)
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
  if (until > entry.expiresAt && !isExpired(entry, now)) {
    await engine.aside('touch', () => move(engine, key, entry, until))
  }
  return entry
}

function move(engine: Engine, key: string, entry: Entry, until: number): ReturnType<Engine['write']> {
  const { touching, store } = engine
  const { tags } = entry
  if (touching) {
    return engine.write('touch', () =>
      tags ? touching.touch(key, until, until, tags) : touching.touch(key, until, until),
    )
  }
  return engine.write('set', () => store.set(key, { ...entry, freshUntil: until, expiresAt: until }))
}
