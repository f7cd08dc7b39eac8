import { mastersOf } from './cluster-shards.ts'
import type { Command } from './connection.ts'
import type { ClusterLike } from './redis-like.ts'

/** Runs a command, within its deadline. */
type Run = <T>(command: Command<T>) => Promise<T>

/** How many keys Redis looks at for one SCAN: at 1,000 a call takes it well under a millisecond. */
const SCAN_COUNT = 1_000

/** A MATCH pattern for every key that begins with exactly `prefix`, whatever characters it has. */
export function startingWith(prefix: string): string {
  return `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`
}

/**
 * The keys that begin with `prefix`, page by page. Some may come twice, and those that come or go meanwhile may
 * be missed: that is SCAN's word, and it blocks nobody (unlike KEYS). In a cluster, of every master one after the other:
 * keys that are moved from one to another meanwhile may be missed, too.
 *
 * @throws CacheError `UNAVAILABLE` if a master cannot be reached
 */
export async function* scan(
  prefix: string,
  run: Run,
  cluster: ClusterLike | undefined,
): AsyncGenerator<Buffer[], void, void> {
  if (!cluster) return yield* scanServer(prefix, run)
  for (const master of await run(() => mastersOf(cluster))) {
    yield* scanServer(prefix, command => run(() => command(master)))
  }
}

async function* scanServer(prefix: string, run: Run): AsyncGenerator<Buffer[], void, void> {
  const pattern = startingWith(prefix)
  let cursor = '0'
  do {
    const from = cursor
    const [next, keys] = await run(client => client.scanBuffer(from, 'MATCH', pattern, 'COUNT', SCAN_COUNT))
    cursor = next.toString()
    if (keys.length > 0) yield keys
  } while (cursor !== '0')
}
