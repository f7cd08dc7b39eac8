import { APPLIED, failed, toCacheError, type WriteOutcome } from '@cache/core'
import type { Command } from './connection.ts'
import type { Pool } from './pool.ts'
import { scan } from './scan.ts'

/**
 * Removes every key that begins with `prefix`, page by page: as long as there are keys, but no command longer
 * than `ms`. Writes sent before it are executed before it; those that come meanwhile may stay or go.
 */
export async function clearKeys(pool: Pool, prefix: string, ms: number): Promise<WriteOutcome> {
  const run = <T>(command: Command<T>): Promise<T> => pool.run('clear', pool.forRead(), ms, command)
  let removed = 0
  try {
    await pool.barrier('clear', ms)
    for await (const keys of scan(prefix, run)) removed += await run(client => client.unlink(keys))
    return APPLIED
  } catch (thrown) {
    const error = toCacheError(thrown, 'STORE', 'the keys could not be removed')
    return removed > 0 ? { status: 'partial', error } : failed(error)
  }
}
