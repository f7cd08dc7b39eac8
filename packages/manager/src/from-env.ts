import { invalidOption } from '@cache/core'
import { CacheStrategy } from './cache-strategy.ts'
import { type CacheManagerOptions, DEFAULTS, type OptionName, type Settings, settingsOf } from './options.ts'

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

interface Variable {
  readonly name: string
  /** What the text stands for; one that stands for nothing is handed on as it is, to be refused. */
  readonly parse: (text: string, name: string) => unknown
}

/** The variable of every option. */
export const VARIABLES: Readonly<Record<OptionName, Variable>> = {
  redisUrl: { name: 'REDIS_URL', parse: text => text },
  defaultTtl: { name: 'CACHE_TTL', parse: number },
  maxMemorySize: { name: 'MAX_MEMORY_SIZE', parse: number },
  maxMemoryBytes: { name: 'MAX_MEMORY_BYTES', parse: number },
  compressMemory: { name: 'COMPRESS_MEMORY', parse: boolean },
  compressionThreshold: { name: 'COMPRESSION_THRESHOLD', parse: number },
  connectionPoolSize: { name: 'CONNECTION_POOL_SIZE', parse: number },
  evictionStrategy: { name: 'EVICTION_STRATEGY', parse: strategy },
  warmupEnabled: { name: 'WARMUP_ENABLED', parse: boolean },
  batchSize: { name: 'BATCH_SIZE', parse: number },
  monitoringEnabled: { name: 'MONITORING_ENABLED', parse: boolean },
}

/**
 * The settings that an environment and some options amount to; options win. A variable that is empty or blank
 * counts as not set: that is how many deployment tools say "none".
 *
 * @throws CacheError `INVALID_OPTION` naming the variable
 */
export function settingsFromEnv(env: Environment, options: CacheManagerOptions): Settings {
  assertObject(env, 'env')
  assertObject(options, 'overrides')
  const read = new Map<OptionName, unknown>()
  for (const option of Object.keys(DEFAULTS) as OptionName[]) {
    const { name, parse } = VARIABLES[option]
    const given = options[option] === undefined ? env[name] : undefined
    if (given !== undefined && typeof given !== 'string')
      throw invalidOption(labelOf(option), given, 'a string')
    const text = given?.trim()
    if (text) read.set(option, parse(text, labelOf(option)))
  }
  return settingsOf({ ...options, ...Object.fromEntries(read) }, option =>
    read.has(option) ? labelOf(option) : option,
  )
}

function assertObject(value: unknown, name: string): void {
  if (typeof value !== 'object' || value === null) throw invalidOption(name, value, 'an object')
}

function labelOf(option: OptionName): string {
  return `${VARIABLES[option].name} (${option})`
}

/** `S3FIFO` or `s3-fifo`, in any case; an unknown one stays as it was written. */
function strategy(text: string): string {
  const wanted = text.toLowerCase()
  const known = Object.entries(CacheStrategy).find(
    ([name, value]) => wanted === name.toLowerCase() || wanted === value,
  )
  return known === undefined ? text : known[1]
}

function number(text: string): unknown {
  const value = Number(text)
  return Number.isNaN(value) ? text : value
}

function boolean(text: string, name: string): boolean {
  if (/^(true|yes|1)$/i.test(text)) return true
  if (/^(false|no|0)$/i.test(text)) return false
  throw invalidOption(name, text, 'true, yes or 1, or false, no or 0')
}
