import { failed, type Invalidation, toCacheError, type WriteOutcome } from '@cache/core'
import { CLEAR } from './scripts/order-scripts.ts'
import type { Sweeper } from './sweeper.ts'
import type { TagsOptions } from './tags.ts'
import { timeLeft } from './time-left.ts'

/**
 * Outdates everything that begins with `scope`, in one round trip however many keys there are: who reads, knows. What it
 * takes in Redis is given back behind that, by the sweeper.
 */
export async function clear(
  { pool, keys, order, channel, sender, writeMs, clock }: TagsOptions,
  sweeper: Sweeper,
  scope: string,
): Promise<WriteOutcome> {
  const invalidation: Invalidation = { type: 'clear', ...(scope !== '' && { scope }) }
  const until = clock.now() + writeMs
  try {
    const send = () =>
      pool.run('clear', pool.forInvalidation(), timeLeft(clock, until), client =>
        CLEAR.run(
          client,
          [keys.last, keys.clears],
          [order.latest, scope, channel, sender.openMessage(invalidation)],
        ),
      )
    return await order.change(send, version => {
      order.noteClear(scope, version)
      sweeper.start(scope, version)
    })
  } catch (thrown) {
    return failed(toCacheError(thrown, 'STORE', 'the keys could not be cleared'))
  }
}
