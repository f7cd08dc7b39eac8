import { isRedirection, masterOf, together } from './cluster-shards.ts'
import { replyCode } from './redact.ts'
import type { ClusterLike, ServerLike } from './redis-like.ts'

/** What a key holds, or why that is not known. */
export type Fetched = Buffer | null | Error

/**
 * MGET of keys that, as far as known, one master holds: one command for each slot, all in one piece. A key that has moved
 * meanwhile is asked for alone, for the client follows redirections of single commands only.
 *
 * @param keys at least one, none twice
 */
export async function fetchTogether(cluster: ClusterLike, keys: readonly string[]): Promise<Fetched[]> {
  const fetched = new Map<string, Fetched>()
  const master = masterOf(cluster, keys[0] as string)
  if (master) await fetchFrom(master, together(cluster, keys), fetched)
  const moved = keys.filter(key => !fetched.has(key) || isRedirection(fetched.get(key)))
  await Promise.all(moved.map(async key => fetched.set(key, await fetchAlone(cluster, key))))
  return keys.map(key => fetched.get(key) ?? null)
}

async function fetchFrom(
  master: ServerLike,
  groups: readonly string[][],
  fetched: Map<string, Fetched>,
): Promise<void> {
  const pipeline = master.pipeline()
  for (const group of groups) pipeline.mgetBuffer(group)
  const results = (await pipeline.exec()) ?? []
  for (const [i, group] of groups.entries()) {
    const [error, values] = results[i] ?? [new Error('the pipeline was not executed'), []]
    for (const [j, key] of group.entries())
      fetched.set(key, error ?? (values as (Buffer | null)[])[j] ?? null)
  }
}

async function fetchAlone(cluster: ClusterLike, key: string): Promise<Fetched> {
  try {
    return await cluster.getBuffer(key)
  } catch (thrown) {
    // Of what is no string MGET says that nothing is there; GET complains.
    if (replyCode(thrown) === 'WRONGTYPE') return null
    return thrown instanceof Error ? thrown : new Error('the Redis client failed')
  }
}
