import { AsyncLocalStorage } from 'node:async_hooks'
import { type Channel, tracingChannel } from 'node:diagnostics_channel'
import { Cache, ManualClock, type TraceMessage } from '@cache/core'
import { afterEach, describe, expect, it } from 'vitest'
import { failingStore, TaggingStore } from './stores.ts'
import { expectRejection } from './support.ts'

const STEPS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const OPERATIONS = [
  ...['get', 'getMany', 'getOrSet', 'getOrSetMany', 'load'],
  ...['set', 'setMany', 'delete', 'deleteMany', 'clear', 'invalidateTags'],
]
const unsubscribe: (() => void)[] = []
afterEach(() => {
  for (const end of unsubscribe.splice(0)) end()
})

function subscribe(channel: Channel, listener: (message: unknown) => void): void {
  channel.subscribe(listener)
  unsubscribe.push(() => channel.unsubscribe(listener))
}

/** All that is published, in its order. */
function record(operations: readonly string[] = OPERATIONS) {
  const published: { step: string; channel: string; message: TraceMessage; then: TraceMessage }[] = []
  for (const operation of operations) {
    const channels = tracingChannel(`cache:${operation}`)
    for (const step of STEPS) {
      subscribe(channels[step], message => {
        const then = message as TraceMessage
        published.push({ step, channel: operation, message: { ...then }, then })
      })
    }
  }
  return published
}

const cacheOf = () => new Cache({ store: new TaggingStore(new ManualClock()), name: 'products' })

describe('the channels of diagnostics', () => {
  it('tell every operation, where it takes place and how it ends, and neither keys nor values', async () => {
    const published = record()
    const cache = cacheOf()
    const users = cache.namespace('users')
    await users.set('secret', 'secret')
    await users.get('secret')
    await users.get('none')
    await users.getEntry('secret')
    await users.has('none')
    await users.getMany(['secret', 'none'])
    await users.setMany({ secret: 'secret', other: 'secret' })
    await users.getOrSet('secret', () => 'secret')
    await users.getOrSetMany(['secret', 'loaded'], () => ({ loaded: 'secret' }))
    await users.wrap(() => 'secret', { prefix: 'wrapped secret' })()
    await users.invalidateTags(['secret'])
    await users.delete('secret')
    await users.deleteMany(['secret', 'none'])
    await users.clear()
    await cache.warm([['secret', 'secret']])

    const at = { cache: 'products', namespace: 'users:', store: 'full' }
    expect(
      published.filter(({ step }) => step === 'asyncEnd').map(({ channel, message }) => [channel, message]),
    ).toEqual([
      ['set', { ...at, operation: 'set', keys: 1, status: 'applied' }],
      ['get', { ...at, operation: 'get', keys: 1, hit: true }],
      ['get', { ...at, operation: 'get', keys: 1, hit: false }],
      ['get', { ...at, operation: 'getEntry', keys: 1, hit: true }],
      ['get', { ...at, operation: 'has', keys: 1, hit: false }],
      ['getMany', { ...at, operation: 'getMany', keys: 2, found: 1 }],
      ['setMany', { ...at, operation: 'setMany', keys: 2, status: 'applied' }],
      ['getOrSet', { ...at, operation: 'getOrSet', keys: 1 }],
      ['load', { ...at, operation: 'load', keys: 1 }],
      ['getOrSetMany', { ...at, operation: 'getOrSetMany', keys: 2, found: 2 }],
      ['load', { ...at, operation: 'load', keys: 1 }],
      ['getOrSet', { ...at, operation: 'getOrSet', keys: 1 }],
      ['invalidateTags', { ...at, operation: 'invalidateTags', keys: 0, status: 'applied' }],
      ['delete', { ...at, operation: 'delete', keys: 1, status: 'applied' }],
      ['deleteMany', { ...at, operation: 'deleteMany', keys: 2, status: 'applied' }],
      ['clear', { ...at, operation: 'clear', keys: 0, status: 'applied' }],
      ['setMany', { ...at, namespace: '', operation: 'setMany', keys: 1, status: 'applied' }],
    ])
    expect(JSON.stringify(published)).not.toContain('secret')
  })

  it('tell the steps of an operation on one message, those of a load within those of its call', async () => {
    const published = record()
    await cacheOf().getOrSet('k', async () => {
      await undefined
      return 1
    })
    expect(published.map(({ channel, step }) => `${channel} ${step}`)).toEqual([
      'getOrSet start',
      'load start',
      'load end',
      'getOrSet end',
      'load asyncStart',
      'load asyncEnd',
      'getOrSet asyncStart',
      'getOrSet asyncEnd',
    ])
    expect(new Set(published.map(({ then }) => then)).size).toBe(2)
  })

  it('tell what an operation rejects with, also at once', async () => {
    const published = record()
    const cache = cacheOf()
    const boom = new Error('boom')
    const fail = (): never => {
      throw boom
    }
    await expect(cache.getOrSet('k', fail)).rejects.toBe(boom)
    await expect(cache.getOrSetMany(['k'], fail)).rejects.toBe(boom)
    await expectRejection(() => cache.get(''), 'INVALID_KEY', /key/)
    await expectRejection(() => cache.getOrSet('', fail), 'INVALID_KEY', /key/)
    const errors = published.filter(({ step }) => step === 'error')
    expect(
      errors.map(({ channel, message }) => [channel, (message.error as { code?: string }).code ?? 'boom']),
    ).toEqual([
      ['load', 'boom'],
      ['getOrSet', 'boom'],
      ['load', 'boom'],
      ['getOrSetMany', 'boom'],
      ['get', 'INVALID_KEY'],
      ['getOrSet', 'INVALID_KEY'],
    ])
    for (const step of STEPS) expect(published.filter(one => one.step === step)).toHaveLength(6)
  })

  it('say how a write went that a store failed', async () => {
    const published = record(['set'])
    await new Cache({ store: failingStore(new Error('away'), 'rejects') }).set('k', 1)
    expect(published.at(-1)?.message).toMatchObject({ store: 'failing', status: 'failed' })
  })

  it('carry a context into the loader, and out of the call none', async () => {
    const storage = new AsyncLocalStorage<string>()
    for (const operation of ['getOrSet', 'load'] as const) {
      const { start } = tracingChannel<unknown, TraceMessage>(`cache:${operation}`)
      start.bindStore(storage, () => `${storage.getStore() ?? ''}/${operation}`)
      unsubscribe.push(() => start.unbindStore(storage))
    }
    const cache = cacheOf()
    const seen: unknown[] = []
    const load = async (): Promise<number> => {
      seen.push(storage.getStore())
      await undefined
      seen.push(storage.getStore())
      return 1
    }
    await storage.run('request', async () => {
      await cache.getOrSet('k', load)
      seen.push(storage.getStore())
      await cache.getOrSetMany(['m'], () => {
        seen.push(storage.getStore())
        return {}
      })
    })
    expect(seen).toEqual(['request/getOrSet/load', 'request/getOrSet/load', 'request', 'request/load'])
  })

  it('give the loader the context of the call that began it', async () => {
    const storage = new AsyncLocalStorage<string>()
    const cache = cacheOf()
    const load = async () => storage.getStore()
    const calls = ['first', 'second'].map(name => storage.run(name, () => cache.getOrSet('k', load)))
    expect(await Promise.all(calls)).toEqual(['first', 'first'])
  })

  it('are enough with a single step that somebody follows', async () => {
    const ended: unknown[] = []
    subscribe(tracingChannel('cache:get').asyncEnd, message => ended.push(message))
    await cacheOf().get('k')
    expect(ended).toHaveLength(1)
  })
})
