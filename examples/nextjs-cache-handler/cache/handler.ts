import type { CacheHandler, CacheHandlerValue } from 'next/dist/server/lib/incremental-cache'
import { entries, revalidations } from './store.ts'

type Get = CacheHandler['get']
type Set = CacheHandler['set']

/** How long is kept what Next gives no end: it is revalidated by age or by tag long before. */
const FOREVER = '30d'

/**
 * Next's cache of pages, route handlers, images and fetched data, on `@cache`. When an entry is stale is for Next to say; when
 * one is gone, because of a tag or its end, is said here.
 */
export default class TieredCacheHandler implements CacheHandler {
  async get(...[key, context]: Parameters<Get>): ReturnType<Get> {
    const stored = await entries.get(key)
    if (!stored) return null
    const softTags = context.kind === 'FETCH' ? (context.softTags ?? []) : []
    return (await isRevalidatedSince(softTags, stored.lastModified)) ? null : stored
  }

  async set(...[key, value, context]: Parameters<Set>): ReturnType<Set> {
    const lastModified = Date.now()
    const cacheControl = 'cacheControl' in context ? context.cacheControl : undefined
    const stored: CacheHandlerValue = { lastModified, value, ...(cacheControl && { cacheControl }) }
    const tags = [...tagsOf(value), ...('tags' in context ? (context.tags ?? []) : [])]
    await entries.set(key, stored, { ttl: cacheControl?.expire ?? FOREVER, tags: [...new Set(tags)] })
  }

  /** Removes at once what has one of the tags, in every instance. */
  async revalidateTag(tags: string | string[]): Promise<void> {
    const names = [tags].flat()
    const now = Date.now()
    await revalidations.setMany(new Map(names.map(name => [name, now])), { ttl: FOREVER })
    await entries.invalidateTags(names)
  }

  resetRequestCache(): void {
    // Nothing is kept for the length of a request.
  }
}

/** The tags of a page or a route are in its headers, those of fetched data beside it. */
function tagsOf(value: Parameters<Set>[1]): readonly string[] {
  if (!value) return []
  if (value.kind === 'FETCH') return value.tags ?? []
  const header = 'headers' in value ? value.headers?.['x-next-cache-tags'] : undefined
  return typeof header === 'string' ? header.split(',') : []
}

/**
 * Fetched data goes, too, when the page that uses it is revalidated by its path. It does not carry that tag: Next names it only
 * when it reads.
 */
async function isRevalidatedSince(tags: readonly string[], time: number): Promise<boolean> {
  if (tags.length === 0) return false
  const never = async (names: readonly string[]) => new Map(names.map(name => [name, 0]))
  const times = await revalidations.getOrSetMany(tags, never, { ttl: FOREVER })
  return [...times.values()].some(revalidated => revalidated >= time)
}
