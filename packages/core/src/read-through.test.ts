import { expect, it } from 'vitest'
import { BareStore, settled } from '../test/stores.ts'
import { flightOf } from '../test/support.ts'
import { Cache } from './cache.ts'
import { ManualClock } from './manual-clock.ts'
import { FlightTable, MAX_IN_FLIGHT } from './single-flight.ts'

it('nothing is loaded ahead of time that could not be stored for want of room in the table of flights', async () => {
  const clock = new ManualClock()
  const store = new BareStore(clock)
  const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10, refreshAhead: 0.5 })
  await cache.set('k', 'v')
  clock.advance(9_000)
  const table = FlightTable.of(store)
  for (let n = 0; n < MAX_IN_FLIGHT; n++) table.begin(flightOf(`${n}`))
  let loads = 0
  const load = (): string => `loaded ${++loads}`
  expect(await cache.getOrSet('k', load)).toBe('v')
  await settled()
  expect(loads).toBe(0)
  expect(await cache.getOrSet('other', load)).toBe('loaded 1')
  expect(store.entries.has('other')).toBe(false)
})
