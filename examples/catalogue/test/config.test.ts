import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'

test('an empty environment gives the defaults', () => {
  expect(readConfig({})).toEqual({
    host: '127.0.0.1',
    port: 3_000,
    metricsPort: 8_000,
    maxItems: 10_000,
    ttl: 300,
    policy: 'lru',
  })
})

test('every variable is read; an empty one is as good as none', () => {
  const env = {
    HOST: '0.0.0.0',
    PORT: '8080',
    METRICS_PORT: '9000',
    CACHE_MAX_ITEMS: '5',
    CACHE_TTL: '60',
    CACHE_POLICY: 'lfu',
    REDIS_URL: 'redis://localhost',
  }
  expect(readConfig(env)).toEqual({
    host: '0.0.0.0',
    port: 8_080,
    metricsPort: 9_000,
    maxItems: 5,
    ttl: 60,
    policy: 'lfu',
    redisUrl: 'redis://localhost',
  })
  expect(readConfig({ PORT: '', REDIS_URL: '' })).toEqual(readConfig({}))
})

test.each(['PORT', 'METRICS_PORT', 'CACHE_MAX_ITEMS', 'CACHE_TTL'])(
  '%s that is no integer is refused by name',
  name => {
    expect(() => readConfig({ [name]: 'many' })).toThrow(`${name} must be an integer`)
    expect(() => readConfig({ [name]: '-1' })).toThrow(`${name} must be an integer`)
  },
)
