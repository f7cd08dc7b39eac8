import type { Command } from './connection.ts'

/** How many keys Redis looks at for one SCAN: at 1,000 a call takes it well under a millisecond. */
const SCAN_COUNT = 1_000

/** A MATCH pattern for every key that begins with exactly `prefix`, whatever characters it has. */
export function startingWith(prefix: string): string {
  return `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`
}

/**
 * The keys that begin with `prefix`, page by page. Some may come twice, and those that come or go meanwhile may
 * be missed: that is SCAN's word, and it blocks nobody (unlike KEYS).
 */
export async function* scan(
  prefix: string,
  run: <T>(command: Command<T>) => Promise<T>,
): AsyncGenerator<Buffer[], void, void> {
  const pattern = startingWith(prefix)
  let cursor = '0'
  do {
    const from = cursor
    const [next, keys] = await run(client => client.scanBuffer(from, 'MATCH', pattern, 'COUNT', SCAN_COUNT))
    cursor = next.toString()
    if (keys.length > 0) yield keys
  } while (cursor !== '0')
}
