import { invalidOption } from '@cache/core'
import { Cluster, type ClusterNode, type ClusterOptions } from 'ioredis'
import { addressOf } from './cluster-shards.ts'
import type { ConnectionOptions, Listening } from './connect.ts'
import { type ConnectionBounds, failFast, ours } from './fail-fast.ts'
import type { ClusterLike, RedisLike, ServerLike } from './redis-like.ts'

/** What is decided for all nodes alike, by the client of the cluster. */
type OfTheCluster = 'host' | 'port' | 'path' | 'db' | 'name' | 'sentinels' | 'natMap' | `sentinel${string}`

/**
 * ioredis' options that say where a cluster is and how to log in to its nodes. Those that decide how a client behaves in
 * trouble are this package's business and are overridden.
 */
export interface ClusterConnection
  extends Pick<ClusterOptions, 'natMap' | 'dnsLookup' | 'useSRVRecords' | 'resolveSrv'> {
  /** Some of the nodes, at least one; the others are heard of from these. */
  readonly nodes: readonly { readonly host: string; readonly port?: number }[]
  /** Of every connection: user, password, TLS. */
  readonly redisOptions?: Omit<ConnectionOptions, OfTheCluster>
}

/** How often it is asked who holds which slot, beside every time a node points elsewhere; milliseconds. */
const REFRESH_MS = 2_000

/** @throws CacheError `INVALID_OPTION` */
export function clusterConnector(options: ClusterConnection, bounds: ConnectionBounds): () => Cluster {
  const nodes = startingNodes(options.nodes)
  const { natMap, dnsLookup, useSRVRecords, resolveSrv, redisOptions } = options
  // Lazy by default, so that replicas are not connected to.
  const { retryStrategy, lazyConnect: _, enableOfflineQueue: __, ...node } = ours(bounds)
  const given = Object.entries({ natMap, dnsLookup, useSRVRecords, resolveSrv })
  return () =>
    new Cluster(nodes, {
      ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
      redisOptions: { ...redisOptions, ...withoutUndefined(node), db: 0 },
      keyPrefix: '',
      clusterRetryStrategy: retryStrategy,
      clusterNodeRetryStrategy: null,
      // What is asked of a node while it is being connected; our own deadlines bound that.
      enableOfflineQueue: true,
      enableReadyCheck: true,
      enableAutoPipelining: false,
      lazyConnect: false,
      shardedSubscribers: false,
      // A replica may lag behind an invalidation.
      scaleReads: 'master',
      maxRedirections: 2,
      // Sent anew so much later, a write could come behind one that was made after it, or long after its deadline.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      retryDelayOnMoved: 0,
      retryDelayOnTryAgain: 30,
      slotsRefreshTimeout: bounds.connectMs,
      slotsRefreshInterval: REFRESH_MS,
    })
}

/** @throws CacheError `INVALID_OPTION` */
export function assertUsableCluster({ options }: ClusterLike): void {
  const { keyPrefix, scaleReads = 'master', enableAutoPipelining } = options ?? {}
  const complaint = keyPrefix
    ? 'one with a keyPrefix'
    : scaleReads !== 'master'
      ? 'one that reads from replicas'
      : enableAutoPipelining
        ? 'one with enableAutoPipelining'
        : undefined
  if (complaint) {
    throw invalidOption(
      'client',
      complaint,
      "a Cluster with scaleReads: 'master', without keyPrefix (use prefix) and enableAutoPipelining",
    )
  }
}

/**
 * Listens on one node, for the nodes pass on what is published: one that is known to live, and after a loss another one.
 *
 * @param guide tells which nodes there are
 */
export function clusterListening(guide: () => ClusterLike | undefined, bounds: ConnectionBounds): Listening {
  let last: string | undefined
  const choose = (nodes: readonly ServerLike[]): ServerLike | undefined => {
    const node = pick(nodes, last)
    if (node) last = addressOf(node)
    return node
  }
  return {
    ...listeningOn(choose, guide, bounds),
    masters: {
      // Of a slot that nobody holds there is nothing.
      addresses: () => new Set(guide()?.slots.flatMap(nodes => nodes?.[0] ?? [])),
      listeningTo: address =>
        listeningOn(nodes => nodes.find(node => addressOf(node) === address), guide, bounds),
      onChange: listener => void guide()?.on('refresh', listener),
    },
  }
}

/** @param choose which node of all */
function listeningOn(
  choose: (nodes: readonly ServerLike[]) => ServerLike | undefined,
  guide: () => ClusterLike | undefined,
  bounds: ConnectionBounds,
): Listening {
  const attached = new WeakMap<RedisLike, string>()
  const nodes = (): readonly ServerLike[] => guide()?.nodes('all') ?? []
  return {
    connect: override => {
      const node = choose(nodes())
      if (!node) return undefined
      const client = node.duplicate({ ...failFast(bounds), ...override, retryStrategy: () => null })
      attached.set(client, addressOf(node))
      return client
    },
    // A node that has left the others, or was left by them, answers a PING and hears nothing.
    check: async client => {
      const info = await nodes()
        .find(node => addressOf(node) === attached.get(client))
        ?.call('CLUSTER', 'INFO')
      if (!String(info).includes('cluster_state:ok')) throw new Error('not a working node of the cluster')
    },
  }
}

function pick(nodes: readonly ServerLike[], last: string | undefined): ServerLike | undefined {
  const connected = nodes.filter(({ status }) => status === 'ready')
  const known = connected.length > 0 ? connected : nodes
  const others = known.filter(node => addressOf(node) !== last)
  const candidates = others.length > 0 ? others : known
  return candidates[Math.floor(Math.random() * candidates.length)]
}

function startingNodes(nodes: ClusterConnection['nodes']): ClusterNode[] {
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw invalidOption('cluster.nodes', nodes, 'a list of at least one { host, port }')
  }
  return nodes.map(({ host, port = 6379 }) => {
    if (typeof host !== 'string' || host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw invalidOption('cluster.nodes', { host, port }, 'a list of { host, port }')
    }
    return { host, port }
  })
}

/** ioredis takes an option that is `undefined` for one that was given. */
function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}
