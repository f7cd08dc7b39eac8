import type { Store } from '@cache/core'
import type { Redis } from 'ioredis'
import type { RedisLike, RedisStoreOptions } from '../src/index.ts'
import { RedisStore } from '../src/index.ts'

declare const ioredis: Redis
export const asRedisLike: RedisLike = ioredis
export const withClient: RedisStoreOptions = { client: ioredis }
export const asStore: Store = new RedisStore({ client: ioredis })

// @ts-expect-error a client must be able to pipeline
export const incomplete: RedisStoreOptions = { client: { status: 'ready' } }
// @ts-expect-error ioredis' keyPrefix would not reach SCAN: the store has its own
export const renamed: RedisStoreOptions = { connection: { host: 'h', keyPrefix: 'x' } }
// @ts-expect-error not an algorithm
export const compressed: RedisStoreOptions = { url: 'redis://h', compression: { algorithm: 'rar' } }
