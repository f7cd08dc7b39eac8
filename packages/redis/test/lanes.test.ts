import { ManualClock } from '@cache/core'
import { RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allowance } from '../src/lanes.ts'
import { LargeKeys } from '../src/large-keys.ts'
import { codeOf, connected, entry, openClient, openStore, ownServer, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

const MB = 1_048_576
const large = 'x'.repeat(MB)
const uncompressed = { algorithm: 'none' } as const
const times = <T>(count: number, task: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => task(i))

/** Which connections carried the commands on keys, by key, while `work` ran. */
async function carriers(work: () => Promise<unknown>): Promise<(key: RegExp) => Set<string>> {
  const monitor = await openClient(server.url).monitor()
  const seen: [key: string, connection: string][] = []
  monitor.on('monitor', (_time: string, args: string[], connection: string) => {
    for (const key of args.slice(1)) seen.push([key, connection])
  })
  await work()
  const done = `done ${Math.random()}`
  const echoed = new Promise<void>(resolve => {
    monitor.on('monitor', (_time: string, args: string[]) => args[1] === done && resolve())
  })
  await openClient(server.url).echo(done)
  await echoed
  monitor.disconnect()
  return pattern => new Set(seen.filter(([key]) => pattern.test(key)).map(([, connection]) => connection))
}

const LARGE = /^cache:large/
const SMALL = /^cache:small/

describe('large values', () => {
  test('keep to a connection of their own, and nothing small waits behind them', async () => {
    const store = patientStore({ url: server.url, poolSize: 4, compression: uncompressed })
    await connected(store)
    const carried = await carriers(async () => {
      await Promise.all([
        ...times(3, i => store.set(`large${i}`, entry(large))),
        ...times(50, i => store.set(`small${i}`, entry(i))),
      ])
      await Promise.all([
        ...times(9, i => store.get(`large${i % 3}`)),
        ...times(100, i => store.get(`small${i % 50}`)),
        store.getMany(['small1', 'large1', 'small2', 'large2']),
        store.setMany(
          new Map([['large0', entry(large)], ...times(9, i => [`small${i}`, entry(i)] as const)]),
        ),
      ])
    })
    expect(carried(LARGE).size).toBe(1)
    expect(carried(SMALL).size).toBe(3)
    expect([...carried(SMALL)].filter(one => carried(LARGE).has(one))).toEqual([])
    expect((await store.getMany(['large2', 'small7'])).found.get('large2')?.value).toBe(large)
  })

  test('are known after they were read once', async () => {
    await patientStore({ url: server.url, compression: uncompressed }).set('large', entry(large))
    const store = patientStore({ url: server.url, poolSize: 4 })
    await connected(store)
    await store.get('large')
    const carried = await carriers(() =>
      Promise.all([...times(5, () => store.get('large')), ...times(50, i => store.get(`small${i}`))]),
    )
    expect(carried(LARGE).size).toBe(1)
    expect([...carried(SMALL)].filter(one => carried(LARGE).has(one))).toEqual([])
  })

  test('leave their lane to others while it is idle, and when it is the only connection', async () => {
    const store = patientStore({ url: server.url, poolSize: 2 })
    await connected(store)
    const carried = await carriers(() => Promise.all(times(50, i => store.get(`small${i}`))))
    expect(carried(SMALL).size).toBe(2)
    const single = patientStore({ url: server.url, poolSize: 1, compression: uncompressed })
    await Promise.all([single.set('large', entry(large)), single.set('small', entry(1))])
    expect((await single.getMany(['large', 'small'])).found.size).toBe(2)
  })

  test('get more time, by what is known of their size', async () => {
    expect([allowance(256 * 1_024), allowance(256 * 1_024 + 1), allowance(10 * MB)]).toEqual([0, 1, 999])
    const clock = new ManualClock(Date.now())
    const own = await ownServer()
    const store = openStore({ url: own.url, clock, compression: uncompressed, timeouts: { read: '100ms' } })
    await connected(store)
    await store.set('k', entry(large))
    own.freeze()
    for (const read of [
      () => store.get('k'),
      () => store.getMany(['k']).then(({ failures }) => Promise.reject(failures?.get('k'))),
    ]) {
      let settled = false
      const code = codeOf(read()).finally(() => {
        settled = true
      })
      clock.advance(100 + allowance(MB) - 1)
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(settled).toBe(false)
      clock.advance(10)
      expect(await code).toBe('TIMEOUT')
    }
  })
})

describe('what is remembered of large keys', () => {
  test('ends when they hold a small value, or nothing', () => {
    const keys = new LargeKeys()
    keys.note('a', MB)
    keys.note('b', 256 * 1_024 - 1)
    expect([keys.sizeOf('a'), keys.sizeOf('b')]).toEqual([MB, 0])
    keys.note('a', 0)
    expect(keys.sizeOf('a')).toBe(0)
  })

  test('is bounded, the latest known stay', () => {
    const keys = new LargeKeys()
    for (let i = 0; i <= 10_000; i++) {
      keys.note('again', MB)
      keys.note(`k${i}`, MB)
    }
    expect([keys.sizeOf('k0'), keys.sizeOf('k1'), keys.sizeOf('again'), keys.sizeOf('k10000')]).toEqual([
      0,
      0,
      MB,
      MB,
    ])
  })
})
