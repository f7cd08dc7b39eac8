/** A process in which many ask for the same key at once: argv holds the URL of Redis, messages the keys. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { eventually } from '@cache/test-support'
import { TieredStore } from '../src/index.ts'

const [url = ''] = process.argv.slice(2)
// Who gets no answer in time loads by itself: not for want of a processor here.
const l2 = new RedisStore({ url, prefix: 'herd:', timeouts: { read: '10s', write: '10s' } })
const store = new TieredStore({ l1: new MemoryStore(), l2 })
const cache = new Cache<string>({ store })
await eventually('coherent', () => store.health().state === 'coherent')

process.on('message', async (key: string) => {
  let loads = 0
  const load = async (): Promise<string> => {
    loads++
    await sleep(100)
    return key
  }
  const values = await Promise.all(Array.from({ length: 250 }, () => cache.getOrSet(key, load)))
  process.send?.({ loads, values: [...new Set(values)] })
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
