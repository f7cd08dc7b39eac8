import { ManualClock } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { freePort } from '@cache/test-support'
import { expect, it, onTestFinished } from 'vitest'
import { TieredStore } from '../src/index.ts'
import { LocalBus, SteeredStore } from './stores.ts'

it('memory over Redis lacks nothing, nor do tiers over tiers', async () => {
  const l2 = new RedisStore({ url: `redis://127.0.0.1:${await freePort()}` })
  const inner = new TieredStore({ l1: new MemoryStore(), l2 })
  const outer = new TieredStore({ l1: new MemoryStore(), l2: inner })
  onTestFinished(() => outer.close())
  expect(inner.limits).toEqual([])
  expect(outer.limits.map(({ without }) => without)).toEqual([])
})

it('a store with the required methods only is told apart by all that it lacks', () => {
  const clock = new ManualClock()
  const { limits } = new TieredStore({ l1: new SteeredStore(clock), l2: new SteeredStore(clock) })
  expect(limits.map(({ tier, without }) => `${tier} ${without}`)).toEqual([
    'bus Coherent',
    'l2 Leasing',
    'l2 Tagging',
    'l2 Marking',
    'l2 Guaranteeing',
    'l2 Health',
    'l2 Touching',
    'l2 Batching',
    'l1 Tagging',
  ])
  for (const { means } of limits) expect(means.length).toBeGreaterThan(20)
})

it('a bus that is given is no lack', () => {
  const clock = new ManualClock()
  const bus = new LocalBus('a', [])
  const { limits } = new TieredStore({ l1: new MemoryStore(), l2: new SteeredStore(clock), bus })
  expect(limits.map(({ tier }) => tier)).not.toContain('bus')
})
