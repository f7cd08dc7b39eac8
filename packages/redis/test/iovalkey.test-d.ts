import { Redis } from 'iovalkey'
import { type RedisLike, RedisStore } from '../src/index.ts'

declare const iovalkey: Redis
export const asRedisLike: RedisLike = iovalkey
export const withClient: RedisStore = new RedisStore({ client: new Redis() })
