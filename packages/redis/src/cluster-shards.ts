import { CacheError } from '@cache/core'
import { replyCode } from './redact.ts'
import type { ClusterLike, RedisLike, ServerLike } from './redis-like.ts'
import { SLOTS, slotOf } from './slots.ts'

export function isCluster(client: RedisLike): client is ClusterLike {
  return client.isCluster === true
}

/** As the slots of a cluster name a node. */
export function addressOf({ options }: ServerLike): string {
  return `${options?.host}:${options?.port}`
}

/** Keys by the master that holds them, as far as that is known: what fails of one group concerns no other. */
export function byMaster<T>(cluster: ClusterLike, items: readonly T[], keyOf: (item: T) => string): T[][] {
  return [...Map.groupBy(items, item => cluster.slots[slotOf(keyOf(item))]?.[0]).values()]
}

/** Keys in groups that one command may name together: all of them or, in a cluster, those of the same slot. */
export function together<K extends string | Buffer>(client: RedisLike, keys: readonly K[]): K[][] {
  return isCluster(client) ? [...Map.groupBy(keys, key => slotOf(key)).values()] : [[...keys]]
}

/** The connection to the master of a key, `undefined` if none is known or it was lost. */
export function masterOf(cluster: ClusterLike, key: string): ServerLike | undefined {
  const address = cluster.slots[slotOf(key)]?.[0]
  return address === undefined ? undefined : cluster.nodes('master').find(node => addressOf(node) === address)
}

/**
 * The connections to all masters.
 *
 * @throws CacheError `UNAVAILABLE` if these are not all: what one of them holds would be missing without a word
 */
export async function mastersOf(cluster: ClusterLike): Promise<ServerLike[]> {
  if (cluster.slots.length === 0) await cluster.ping() // Not connected yet, by its owner's wish.
  const nodes = cluster.nodes('master')
  const known = new Set(nodes.map(addressOf))
  const holders = new Set<string | undefined>()
  for (let slot = 0; slot < SLOTS; slot++) holders.add(cluster.slots[slot]?.[0])
  for (const holder of holders) {
    if (holder === undefined || !known.has(holder)) {
      throw new CacheError('UNAVAILABLE', 'a part of the Redis Cluster cannot be reached')
    }
  }
  return nodes.filter(node => holders.has(addressOf(node)))
}

/** Whether a node answered that somebody else is to be asked; the command was not carried out. */
export function isRedirection(error: unknown): boolean {
  const reply = replyCode(error)
  return reply === 'MOVED' || reply === 'ASK' || reply === 'TRYAGAIN'
}
