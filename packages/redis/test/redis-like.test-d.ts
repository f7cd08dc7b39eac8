import type { Store } from '@cache/core'
import type { Cluster, Redis } from 'ioredis'
import type { ClusterLike, RedisBusOptions, RedisLike, RedisStoreOptions, ServerLike } from '../src/index.ts'
import { RedisStore } from '../src/index.ts'

declare const ioredis: Redis
export const asRedisLike: RedisLike = ioredis
export const asServerLike: ServerLike = ioredis
export const withClient: RedisStoreOptions = { client: ioredis }
export const asStore: Store = new RedisStore({ client: ioredis })

declare const cluster: Cluster
export const asClusterLike: ClusterLike = cluster
export const withCluster: RedisStoreOptions = { client: cluster }
export const busOfCluster: RedisBusOptions = { client: cluster }
export const ofCluster: RedisStoreOptions = {
  cluster: {
    nodes: [{ host: 'h', port: 7000 }, { host: 'i' }],
    natMap: { '10.0.0.1:7000': { host: 'h', port: 7000 } },
    redisOptions: { username: 'u', password: 'p', tls: {} },
  },
}

// @ts-expect-error a client must be able to pipeline
export const incomplete: RedisStoreOptions = { client: { status: 'ready' } }
// @ts-expect-error ioredis' keyPrefix would not reach SCAN: the store has its own
export const renamed: RedisStoreOptions = { connection: { host: 'h', keyPrefix: 'x' } }
// @ts-expect-error not an algorithm
export const compressed: RedisStoreOptions = { url: 'redis://h', compression: { algorithm: 'rar' } }
// @ts-expect-error replicas may lag behind an invalidation
export const scaled: RedisStoreOptions = { cluster: { nodes: [{ host: 'h' }], scaleReads: 'slave' } }
// @ts-expect-error every node has an address of its own
export const atOneHost: RedisStoreOptions = { cluster: { nodes: [], redisOptions: { host: 'h' } } }
// @ts-expect-error a cluster has no databases
export const inDatabase: RedisStoreOptions = { cluster: { nodes: [{ host: 'h' }], redisOptions: { db: 1 } } }
