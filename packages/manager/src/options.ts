import { type Duration, integer, invalidOption, oneOf, toMilliseconds } from '@cache/core'
import { MAX_ITEMS } from '@cache/memory'
import { assertRedisUrl } from '@cache/redis'
import { CacheStrategy } from './cache-strategy.ts'

/** Every option may be left out, or be `undefined`. */
export interface CacheManagerOptions {
  /** `redis[s]://[user[:password]@]host[:port][/database]`. @default none: memory only */
  readonly redisUrl?: string | undefined
  /** How long values live unless a call says otherwise; a bare number is seconds. @default 300 */
  readonly defaultTtl?: Duration | undefined
  /** Most items in memory: 1 to 15,000,000. @default 10_000 */
  readonly maxMemorySize?: number | undefined
  /** About how many bytes memory may take, as estimated. An integer >= 1. @default none: only items are counted */
  readonly maxMemoryBytes?: number | undefined
  /** Whether memory keeps values as bytes: compressed above the threshold, and decoded at every hit. @default false */
  readonly compressMemory?: boolean | undefined
  /** Values of more bytes than this are compressed on their way to Redis. An integer >= 0. @default 1024 */
  readonly compressionThreshold?: number | undefined
  /** Connections to Redis. An integer >= 1. @default 10 */
  readonly connectionPoolSize?: number | undefined
  /** Who leaves memory when it is full. @default CacheStrategy.LRU */
  readonly evictionStrategy?: CacheStrategy | undefined
  /** Whether `warmupCache` accepts anything. @default true */
  readonly warmupEnabled?: boolean | undefined
  /** Keys per batch. An integer >= 1. @default 100 */
  readonly batchSize?: number | undefined
  /** Whether there are Prometheus metrics; `getStats` counts in any case. @default true */
  readonly monitoringEnabled?: boolean | undefined
}

export type OptionName = keyof CacheManagerOptions

/** The options, checked and complete. */
export type Settings = {
  readonly [K in OptionName]-?: K extends 'redisUrl' | 'maxMemoryBytes'
    ? CacheManagerOptions[K]
    : Exclude<CacheManagerOptions[K], undefined>
}

export const DEFAULTS: Settings = {
  redisUrl: undefined,
  defaultTtl: 300,
  maxMemorySize: 10_000,
  maxMemoryBytes: undefined,
  compressMemory: false,
  compressionThreshold: 1_024,
  connectionPoolSize: 10,
  evictionStrategy: CacheStrategy.LRU,
  warmupEnabled: true,
  batchSize: 100,
  monitoringEnabled: true,
}

/**
 * The options, checked and complete. Nothing is opened here.
 *
 * @param nameOf what to call an option in an error
 * @throws CacheError `INVALID_OPTION` for the first that is not accepted
 */
export function settingsOf(
  options: { readonly [K in OptionName]?: unknown },
  nameOf: (option: OptionName) => string = option => option,
): Settings {
  assertKnown(options)
  const check = <T>(option: OptionName, accept: (value: unknown, name: string) => T): T => {
    const { [option]: given = DEFAULTS[option] } = options
    return accept(given, nameOf(option))
  }
  return {
    redisUrl: check('redisUrl', optionalUrl),
    defaultTtl: check('defaultTtl', duration),
    maxMemorySize: check('maxMemorySize', itemCount),
    maxMemoryBytes: check('maxMemoryBytes', (value, name) =>
      value === undefined ? undefined : integer(value, name, 1),
    ),
    compressMemory: check('compressMemory', boolean),
    compressionThreshold: check('compressionThreshold', (value, name) => integer(value, name, 0)),
    connectionPoolSize: check('connectionPoolSize', (value, name) => integer(value, name, 1)),
    evictionStrategy: check('evictionStrategy', (value, name) =>
      oneOf(value, name, Object.values(CacheStrategy)),
    ),
    warmupEnabled: check('warmupEnabled', boolean),
    batchSize: check('batchSize', (value, name) => integer(value, name, 1)),
    monitoringEnabled: check('monitoringEnabled', boolean),
  }
}

function assertKnown(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null) throw invalidOption('options', options, 'an object')
  const unknown = Object.keys(options).find(name => !Object.hasOwn(DEFAULTS, name))
  if (unknown === undefined) return
  throw invalidOption('options', unknown, `made of ${Object.keys(DEFAULTS).join(', ')}`)
}

function optionalUrl(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined
  assertRedisUrl(value, name)
  return value as string
}

function duration(value: unknown, name: string): Duration {
  toMilliseconds(value as Duration, name)
  return value as Duration
}

function itemCount(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ITEMS)
    return value as number
  throw invalidOption(name, value, `an integer from 1 to ${MAX_ITEMS}`)
}

function boolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(name, value, 'true or false')
}
