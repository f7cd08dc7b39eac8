import type { Entry } from '@cache/core'

/**
 * What a browser, a proxy or a CDN has to know to keep an answer exactly as long as the cache behind it does: `max-age` and
 * `stale-while-revalidate` (RFC 5861) are what is left of the entry's freshness and grace, the validator is when it was
 * written.
 *
 * @param now milliseconds since the epoch
 */
export function cachingHeaders(entry: Entry, now: number): Record<string, string> {
  const maxAge = seconds(entry.freshUntil - now)
  const stale = seconds(entry.expiresAt - Math.max(now, entry.freshUntil))
  return {
    'cache-control': `public, max-age=${maxAge}, stale-while-revalidate=${stale}`,
    etag: etagOf(entry),
    'last-modified': new Date(entry.createdAt).toUTCString(),
  }
}

/** Whether the caller has this entry already (RFC 9110, `If-None-Match`). */
export function isUnchanged(entry: Entry, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false
  const known = ifNoneMatch.split(',').map(tag => tag.trim())
  return known.includes(etagOf(entry)) || known.includes('*')
}

/** A weak validator: the same entry is the same content, another one need not be a different one. */
function etagOf(entry: Entry): string {
  return `W/"${entry.createdAt.toString(36)}"`
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1_000))
}
