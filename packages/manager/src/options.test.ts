import { POLICY_NAMES } from '@cache/memory'
import { describe, expect, test } from 'vitest'
import { CacheStrategy } from './cache-strategy.ts'
import { settingsFromEnv } from './from-env.ts'
import { settingsOf } from './options.ts'

const DOCUMENTED = {
  redisUrl: undefined,
  defaultTtl: 300,
  maxMemorySize: 10_000,
  maxMemoryBytes: undefined,
  compressMemory: false,
  compressionThreshold: 1_024,
  connectionPoolSize: 10,
  evictionStrategy: 'lru',
  warmupEnabled: true,
  batchSize: 100,
  monitoringEnabled: true,
}

const UNCHOSEN = { redisUrl: undefined, defaultTtl: undefined, warmupEnabled: undefined }

test('the defaults are the documented ones', () => {
  expect(settingsOf({})).toEqual(DOCUMENTED)
  expect(settingsFromEnv({}, {})).toEqual(DOCUMENTED)
})

test('an option that is undefined counts as left out', () => {
  expect(settingsOf(UNCHOSEN)).toEqual(DOCUMENTED)
  expect(settingsFromEnv({ CACHE_TTL: '60' }, UNCHOSEN).defaultTtl).toBe(60)
})

test('what is given is kept', () => {
  const given = {
    redisUrl: 'rediss://user:pass@cache.example:6380/2',
    defaultTtl: '5m',
    maxMemorySize: 1,
    maxMemoryBytes: 1,
    compressMemory: true,
    compressionThreshold: 0,
    connectionPoolSize: 1,
    evictionStrategy: CacheStrategy.RANDOM,
    warmupEnabled: false,
    batchSize: 1,
    monitoringEnabled: false,
  }
  expect(settingsOf(given)).toEqual(given)
})

test('every strategy is one that memory knows', () => {
  expect(POLICY_NAMES).toEqual(expect.arrayContaining(Object.values(CacheStrategy)))
  expect(CacheStrategy).toEqual({
    LRU: 'lru',
    LFU: 'lfu',
    FIFO: 'fifo',
    RANDOM: 'random',
    SIEVE: 'sieve',
    S3FIFO: 's3-fifo',
    TINYLFU: 'tiny-lfu',
  })
})

describe('an option that is not accepted is named, with what was received and what is accepted', () => {
  test.each([
    ['defaultTtl', Number.NaN, 'received NaN'],
    ['defaultTtl', 0, 'more than 0'],
    ['defaultTtl', -1, 'received -1'],
    ['defaultTtl', '5 minutes', 'received "5 minutes"'],
    ['defaultTtl', null, 'received null'],
    ['maxMemorySize', 0, 'an integer from 1 to 15000000; received 0'],
    ['maxMemorySize', 15_000_001, 'an integer from 1 to 15000000; received 15000001'],
    ['maxMemorySize', '10', 'received "10"'],
    ['maxMemoryBytes', 0, 'an integer >= 1; received 0'],
    ['compressionThreshold', -1, 'an integer >= 0; received -1'],
    ['connectionPoolSize', 0, 'an integer >= 1; received 0'],
    ['connectionPoolSize', 1.5, 'received 1.5'],
    ['evictionStrategy', 'lifo', 'one of lru, lfu, fifo, random, sieve, s3-fifo, tiny-lfu; received "lifo"'],
    ['evictionStrategy', 'constructor', 'received "constructor"'],
    ['compressMemory', 1, 'true or false; received 1'],
    ['warmupEnabled', 'yes', 'true or false; received "yes"'],
    ['batchSize', Number.POSITIVE_INFINITY, 'received Infinity'],
    ['monitoringEnabled', 1, 'true or false; received 1'],
    ['redisUrl', 6379, 'received 6379'],
  ])('%s: %s', (option, value, complaint) => {
    const check = (): unknown => settingsOf({ [option]: value })
    expect(check).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(check).toThrow(new RegExp(`^${option} must be .*`))
    expect(check).toThrow(complaint)
  })

  test.each([
    '',
    'localhost:6379',
    'http://:hunter2@host',
    'redis://:hunter2@',
    'redis://u:hunter2@host/zero',
    'hunter2',
    'redis://u:hunter2@host:99999',
  ])('redisUrl is told without a part of it: %s', redisUrl => {
    const check = (): unknown => settingsOf({ redisUrl })
    expect(check).toThrow(/^redisUrl must be like redis:\/\/user:password@host:6379\/0/)
    expect(check).not.toThrow(/hunter2/)
    const fromEnv = (): unknown => settingsFromEnv({ REDIS_URL: redisUrl || '-' }, {})
    expect(fromEnv).toThrow(/^REDIS_URL \(redisUrl\) must be like/)
    expect(fromEnv).not.toThrow(/hunter2/)
  })

  test('a name that is no option', () => {
    expect(() => Reflect.apply(settingsOf, undefined, [{ maxMemorySze: 1 }])).toThrow(
      /^options must be made of redisUrl, .*, monitoringEnabled; received "maxMemorySze"/,
    )
    expect(() => Reflect.apply(settingsOf, undefined, [{ toString: 1 }])).toThrow('received "toString"')
    expect(() => Reflect.apply(settingsOf, undefined, [null])).toThrow(
      'options must be an object; received null',
    )
  })
})

describe('from the environment', () => {
  test('every option has its variable', () => {
    const env = {
      REDIS_URL: 'redis://cache.example',
      CACHE_TTL: '60',
      MAX_MEMORY_SIZE: '500',
      MAX_MEMORY_BYTES: '1000000',
      COMPRESS_MEMORY: 'yes',
      COMPRESSION_THRESHOLD: '0',
      CONNECTION_POOL_SIZE: '3',
      EVICTION_STRATEGY: 'LFU',
      WARMUP_ENABLED: 'false',
      BATCH_SIZE: '7',
      MONITORING_ENABLED: 'no',
    }
    expect(settingsFromEnv(env, {})).toEqual({
      redisUrl: 'redis://cache.example',
      defaultTtl: 60,
      maxMemorySize: 500,
      maxMemoryBytes: 1_000_000,
      compressMemory: true,
      compressionThreshold: 0,
      connectionPoolSize: 3,
      evictionStrategy: 'lfu',
      warmupEnabled: false,
      batchSize: 7,
      monitoringEnabled: false,
    })
  })

  test.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['Yes', true],
    ['false', false],
    ['0', false],
    ['nO', false],
    [' true ', true],
  ])('a boolean may be written %j', (text, value) => {
    expect(settingsFromEnv({ WARMUP_ENABLED: text }, { warmupEnabled: undefined }).warmupEnabled).toBe(value)
    expect(settingsFromEnv({ MONITORING_ENABLED: text }, {}).monitoringEnabled).toBe(value)
  })

  test.each(['', ' '])('a variable that is %j counts as not set', text => {
    const env = { REDIS_URL: text, CACHE_TTL: text, WARMUP_ENABLED: text, EVICTION_STRATEGY: text }
    expect(settingsFromEnv(env, {})).toEqual(DOCUMENTED)
  })

  test.each([
    ['LRU', 'lru'],
    ['Sieve', 'sieve'],
    ['S3FIFO', 's3-fifo'],
    ['s3-fifo', 's3-fifo'],
    ['tinylfu', 'tiny-lfu'],
    ['TINY-LFU', 'tiny-lfu'],
  ])('a strategy may be written %j', (text, strategy) => {
    expect(settingsFromEnv({ EVICTION_STRATEGY: text }, {}).evictionStrategy).toBe(strategy)
  })

  test('a ttl may carry its unit', () => {
    expect(settingsFromEnv({ CACHE_TTL: '5m' }, {}).defaultTtl).toBe('5m')
  })

  test('options win over variables, which are then not looked at', () => {
    expect(settingsFromEnv({ BATCH_SIZE: 'many' }, { batchSize: 5 }).batchSize).toBe(5)
  })

  test.each([
    ['CACHE_TTL', 'soon', 'CACHE_TTL (defaultTtl) must be more than 0'],
    ['CACHE_TTL', '-5', 'received -5'],
    [
      'MAX_MEMORY_SIZE',
      '10k',
      'MAX_MEMORY_SIZE (maxMemorySize) must be an integer from 1 to 15000000; received "10k"',
    ],
    ['MAX_MEMORY_SIZE', '1.5', 'received 1.5'],
    ['EVICTION_STRATEGY', 'Foo', 'received "Foo"'],
    ['BATCH_SIZE', '10%', 'received "10%"'],
    ['COMPRESSION_THRESHOLD', '-1', 'COMPRESSION_THRESHOLD (compressionThreshold) must be an integer >= 0'],
    ['CONNECTION_POOL_SIZE', '0', 'CONNECTION_POOL_SIZE (connectionPoolSize) must be an integer >= 1'],
    [
      'EVICTION_STRATEGY',
      'LIFO',
      'EVICTION_STRATEGY (evictionStrategy) must be one of lru, lfu, fifo, random, sieve, s3-fifo, tiny-lfu',
    ],
    [
      'WARMUP_ENABLED',
      'on',
      'WARMUP_ENABLED (warmupEnabled) must be true, yes or 1, or false, no or 0; received "on"',
    ],
    ['BATCH_SIZE', 'many', 'BATCH_SIZE (batchSize) must be an integer >= 1; received "many"'],
    ['MONITORING_ENABLED', '2', 'MONITORING_ENABLED (monitoringEnabled) must be'],
  ])('%s=%s is refused by the name of the variable', (name, text, complaint) => {
    const check = (): unknown => settingsFromEnv({ [name]: text }, {})
    expect(check).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(check).toThrow(complaint)
  })

  test.each([
    ['env', () => settingsFromEnv(null as never, {})],
    ['overrides', () => settingsFromEnv({}, null as never)],
    ['CACHE_TTL', () => settingsFromEnv({ CACHE_TTL: 60 } as never, {})],
  ])('%s of the wrong kind is refused', (name, check) => {
    expect(check).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  })

  test('an override that is not accepted is named as the option it is', () => {
    expect(() => settingsFromEnv({ BATCH_SIZE: '5' }, { batchSize: 0 })).toThrow(/^batchSize must be/)
  })
})
