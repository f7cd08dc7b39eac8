import { APPLIED, type Gap, systemClock } from '@cache/core'
import { eventually } from '@cache/test-support'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { MasterStreams } from '../src/bus/master-streams.ts'
import type { Masters } from '../src/connect.ts'
import { Keyspace } from '../src/keyspace.ts'
import { openClient, ownServer } from './support.ts'

/** Servers that come and go as the masters of a cluster do. */
class Changing implements Masters {
  readonly #listeners: (() => void)[] = []
  #urls: readonly string[] = []

  addresses(): readonly string[] {
    return this.#urls
  }

  listeningTo(url: string) {
    return { connect: () => new Redis(url, { protocol: 2 }) }
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  become(...urls: readonly string[]): void {
    this.#urls = urls
    for (const listener of this.#listeners) listener()
  }
}

function listen(masters: Masters) {
  const stream = new MasterStreams(
    {
      id: 'me',
      mode: 'tracking',
      keys: new Keyspace('p:'),
      channel: 'p:invalidate',
      listening: { connect: () => undefined },
      publish: async () => APPLIED,
      heartbeatMs: 500,
      clock: systemClock,
    },
    masters,
  )
  onTestFinished(() => stream.close())
  const gaps: Gap[] = []
  const keys: string[] = []
  stream.onGap(gap => gaps.push(gap))
  stream.subscribe(message => message.type === 'keys' && keys.push(...message.keys))
  return { stream, gaps, keys }
}

const TRACKS = { connected: true, reason: 'listening to Redis and what it tracks' }
const CHANGED = { connected: false, reason: 'the cluster has other masters' }

test('a master more, or one less, is a gap until all are listened to', async () => {
  const [a, b] = [await ownServer(), await ownServer()]
  const masters = new Changing()
  const { stream, gaps, keys } = listen(masters)
  expect(stream.connected).toBe(false)
  masters.become(a.url)
  await eventually('listening', () => stream.connected)
  masters.become(a.url, b.url)
  expect(stream.connected).toBe(false)
  await eventually('listening to both', () => stream.connected)
  masters.become(a.url, b.url)
  expect(gaps).toEqual([TRACKS, CHANGED, TRACKS])

  await openClient(b.url).set('p:k', 'x')
  await eventually('heard', () => keys.includes('k'))
  masters.become(b.url)
  expect(gaps.slice(3)).toEqual([CHANGED, TRACKS])
  await openClient(a.url).set('p:left', 'x')
  await openClient(b.url).set('p:last', 'x')
  await eventually('heard', () => keys.includes('last'))
  expect(keys).toEqual(['k', 'last'])
})

test('an emptied master is a doubt, and one that does not track is told', async () => {
  const [a, b] = [await ownServer(), await ownServer()]
  await openClient(b.url).call('ACL', 'SETUSER', 'default', '-client|tracking')
  const masters = new Changing()
  const { stream, gaps } = listen(masters)
  masters.become(a.url, b.url)
  await eventually('listening', () => stream.connected)
  expect(gaps).toEqual([{ connected: true, reason: 'listening to Redis' }])
  await openClient(a.url).flushall()
  await eventually('told', () => gaps.length > 1)
  expect(gaps.slice(1)).toEqual([{ connected: true, reason: 'the database was emptied' }])
})
