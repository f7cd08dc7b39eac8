import type { Command } from './connection.ts'
import { scan } from './scan.ts'
import type { StoreParts } from './store-parts.ts'

/** The keys of entries under a scope, as {@link scan} finds them. */
export async function* keysIn(
  { pool, keys, readMs }: StoreParts,
  scope: string,
): AsyncGenerator<string, void, void> {
  const run = <T>(command: Command<T>): Promise<T> => pool.run('getMany', pool.forRead(), readMs, command)
  for await (const page of scan(keys.keyOf(scope), run, pool.cluster)) {
    for (const redisKey of page) {
      const key = keys.entryKeyOf(redisKey.toString())
      if (key !== undefined) yield key
    }
  }
}

/** Removes every key under the prefix, our own ones included. */
export async function purge({ pool, keys, order, writeMs }: StoreParts): Promise<void> {
  const run = <T>(command: Command<T>): Promise<T> => pool.run('clear', pool.forRead(), writeMs, command)
  await order.stamp() // Or it would be asked for, and made, behind our back.
  for await (const page of scan(keys.prefix, run, pool.cluster)) {
    await Promise.all(page.map(key => run(client => client.unlink([key]))))
  }
}
