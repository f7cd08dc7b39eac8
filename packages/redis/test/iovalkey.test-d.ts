import { type Cluster, Redis } from 'iovalkey'
import { type ClusterLike, type RedisLike, RedisStore } from '../src/index.ts'

declare const iovalkey: Redis
export const asRedisLike: RedisLike = iovalkey
export const withClient: RedisStore = new RedisStore({ client: new Redis() })

declare const cluster: Cluster
export const asClusterLike: ClusterLike = cluster
