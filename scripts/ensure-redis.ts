/**
 * Makes sure that a `redis-server` exists, then runs the command given to it with `REDIS_SERVER` naming the binary:
 *
 *     node scripts/ensure-redis.ts node benchmarks/redis/main.ts
 */
import { ensureRedis } from './servers/redis.ts'
import { run } from './servers/run.ts'

run(process.argv.slice(2), ensureRedis())
