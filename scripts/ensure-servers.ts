/**
 * Makes sure of all servers that the tests start, then runs the command given to it with variables that name the binaries:
 *
 *     node scripts/ensure-servers.ts vitest run
 *
 * Redis has to be there. So has Prometheus in CI; elsewhere its tests are skipped without it, loudly. So are those on Valkey everywhere.
 */
import { ensurePrometheus } from './servers/prometheus.ts'
import { ensureRedis } from './servers/redis.ts'
import { run } from './servers/run.ts'
import { ensureValkey } from './servers/valkey.ts'

run(process.argv.slice(2), { ...ensureRedis(), ...ensurePrometheus(), ...ensureValkey() })
