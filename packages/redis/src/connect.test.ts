import { inspect } from 'node:util'
import { CacheError } from '@cache/core'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import type { ClusterConnection } from './cluster-connect.ts'
import { connections, type Target } from './connect.ts'
import { assertRedisUrl } from './index.ts'

const BOUNDS = { connectMs: 500, silenceMs: 750 }

/** The options a client is made with; it is never let connect. */
function optionsFor(target: Target): Redis['options'] {
  const client = connections(target, BOUNDS).connect() as Redis
  client.disconnect()
  return client.options
}

function refusal(target: Target): CacheError {
  try {
    connections(target, BOUNDS)
  } catch (thrown) {
    if (thrown instanceof CacheError) return thrown
    throw thrown
  }
  throw new Error('it was accepted')
}

describe('a URL', () => {
  test('says where Redis is and how to log in', () => {
    expect(optionsFor({ url: 'redis://us%40er:p%3Ass@example.com:7000/3' })).toMatchObject({
      host: 'example.com',
      port: 7000,
      username: 'us@er',
      password: 'p:ss',
      db: 3,
    })
    expect(optionsFor({ url: 'redis://example.com' }).tls).toBeUndefined()
    expect(optionsFor({ url: 'rediss://:secret@[::1]' })).toMatchObject({
      host: '::1',
      port: 6379,
      password: 'secret',
      db: 0,
      tls: {},
    })
  })

  test('cannot change how we behave in trouble', () => {
    const url =
      'redis://h?enableOfflineQueue=true&maxRetriesPerRequest=20&keyPrefix=x&socketTimeout=0&family=6'
    expect(optionsFor({ url })).toMatchObject({
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      keyPrefix: '',
      connectTimeout: 500,
      family: 6,
    })
  })

  test.each([
    '',
    'hunter2',
    'http://hunter2@host',
    'redis://',
    'redis:///0',
    'redis://user:hunter2@host:99999',
    'redis://user:hunter2%@host',
    'redis://user:hunter2@host/first',
    'redis://user:hunter2@host/1/2',
    'redis://hunter2:hunter2',
    'redis://user:hunter2@host:0',
    'redis://user:hunter2@host?family=9',
    'redis://user:hunter2@host?family=',
    'redis://user:12#hunter2@host',
    'redis://user:hunter2@ho%st',
    5 as unknown as string,
  ])('that is malformed is refused without a word of it: %s', url => {
    const error = refusal({ url })
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toMatch(/^url must be like/)
    expect(inspect(error, { depth: 9, showHidden: true }).split('\n')[0]).not.toContain('hunter2')
    expect(error.cause).toBeUndefined()
    expect(() => assertRedisUrl(url, 'REDIS_URL')).toThrow(
      expect.objectContaining({ message: error.message.replace('url', 'REDIS_URL') }),
    )
  })

  test('that is fine passes the check by itself', () => {
    for (const url of ['redis://h', 'rediss://u:p%40@[::1]:65535/3?family=0']) {
      expect(() => assertRedisUrl(url, 'url')).not.toThrow()
    }
    expect(optionsFor({ url: 'redis://h?family=4' }).family).toBe(4)
  })
})

describe('connection options', () => {
  test('are taken, but for those that would queue, replay or rename', () => {
    const connection = { path: '/tmp/redis.sock', db: 2, keyPrefix: 'x', enableOfflineQueue: true } as Target
    expect(optionsFor({ connection: connection as object })).toMatchObject({
      path: '/tmp/redis.sock',
      db: 2,
      keyPrefix: '',
      enableOfflineQueue: false,
    })
  })

  test.each([Number.NaN, -1, 1.5, 'three'])('with database %s are refused', db => {
    expect(refusal({ connection: { db: db as number } }).message).toMatch(
      /^connection\.db must be an integer/,
    )
  })
})

describe('reconnecting', () => {
  test('waits longer each time, up to a bound, and never in step with others', () => {
    const retry = optionsFor({ url: 'redis://h' }).retryStrategy as (times: number) => number
    for (let times = 1; times < 100; times++) {
      const nominal = Math.min(50 * 2 ** (times - 1), 1_000)
      expect(retry(times)).toBeGreaterThanOrEqual(nominal * 0.75)
      expect(retry(times)).toBeLessThanOrEqual(nominal * 1.25)
    }
    expect(new Set(Array.from({ length: 10 }, () => retry(5))).size).toBeGreaterThan(1)
  })
})

describe('a target', () => {
  test('is given exactly once', () => {
    expect(refusal({}).message).toBe(
      'exactly one of url, connection, cluster and client must be given; received 0',
    )
    expect(refusal({ url: 'redis://h', connection: {} }).message).toMatch(/received 2$/)
  })

  test('is not a client that renames keys, reads from replicas or lets commands wait for each other', () => {
    const renaming = new Redis({ lazyConnect: true, keyPrefix: 'x' })
    expect(refusal({ client: renaming }).message).toMatch(/^client must be a client without keyPrefix/)
    const unusable = [{ keyPrefix: 'x' }, { scaleReads: 'slave' as const }, { enableAutoPipelining: true }]
    for (const options of unusable) {
      const cluster = new Cluster([], { lazyConnect: true, ...options })
      expect(refusal({ client: cluster }).message).toMatch(/^client must be a Cluster with/)
    }
  })
})

describe('a cluster', () => {
  function clusterOptionsFor(cluster: ClusterConnection): Cluster['options'] {
    const client = connections({ cluster }, BOUNDS).connect() as unknown as Cluster
    client.disconnect()
    return client.options
  }

  test('is asked for by its nodes, and how to log in to all of them', () => {
    const natMap = { 'a:1': { host: 'b', port: 2 } }
    const redisOptions = { username: 'u', password: 'p', tls: {} }
    const options = clusterOptionsFor({ nodes: [{ host: '127.0.0.1' }], natMap, redisOptions })
    expect(options).toMatchObject({ natMap, redisOptions })
  })

  test('cannot be asked for in a way that sends commands anew later on', () => {
    const hostile = { maxRedirections: 99, retryDelayOnFailover: 500, redisOptions: { keyPrefix: 'x' } }
    const options = clusterOptionsFor({ nodes: [{ host: '127.0.0.1' }], ...hostile } as ClusterConnection)
    expect(options).toMatchObject({
      maxRedirections: 2,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      scaleReads: 'master',
      redisOptions: { keyPrefix: '', connectTimeout: 500, socketTimeout: 750 },
    })
  })

  test.each([[[]], [[{ host: '' }]], [[{ host: 'h', port: 0 }]], ['h:1']])(
    'without nodes that can be addressed is refused: %j',
    nodes => {
      const error = refusal({ cluster: { nodes: nodes as unknown as { host: string }[] } })
      expect(error.message).toMatch(/^cluster\.nodes must be/)
    },
  )
})
