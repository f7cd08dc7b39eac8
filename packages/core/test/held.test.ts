import { Cache, ManualClock } from '@cache/core'
import { expect, it } from 'vitest'
import { FlightTable } from '../src/single-flight.ts'
import { asynchronous, FullStore, failingStore } from './stores.ts'

/** Counts what a table holds on to now. */
function counted(table: FlightTable): { held: number } {
  const count = { held: 0 }
  const hold = table.hold.bind(table)
  table.hold = (waiting, origin) => {
    count.held++
    const release = hold(waiting, origin)
    return () => {
      count.held--
      release()
    }
  }
  return count
}

it('holds on to nothing after reads and batches have ended, well or badly', async () => {
  const clock = new ManualClock()
  for (const store of [
    asynchronous(new FullStore(clock)),
    failingStore(new Error('ECONNRESET'), 'rejects'),
  ]) {
    const count = counted(FlightTable.of(store))
    const cache = new Cache({ store, clock })
    await cache.set('k', 1)
    await cache.get('k', { ttl: 600 })
    await cache.get('nothing', { ttl: 600 })
    await cache.setMany({ a: 1, b: 2 })
    await cache.deleteMany(['a', 'b'])
    await cache.getOrSetMany(['c', 'd'], () => ({ c: 3 }))
    await cache.warm([['e', 5]])
    const broken = function* (): Generator<readonly [string, number]> {
      yield ['f', 6]
      throw new Error('file ended')
    }
    await cache.warm(broken()).catch(() => {})
    expect(count.held).toBe(0)
  }
})
