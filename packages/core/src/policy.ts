import { toCall, toTags } from './arguments.ts'
import type {
  LoadOptions,
  NamespaceOptions,
  ReadThroughOptions,
  SchemaOption,
  SetOptions,
} from './cache-options.ts'
import { type Duration, MAX_TIMER_MS, toMilliseconds, toMillisecondsFromZero } from './duration.ts'
import type { Metadata } from './entry.ts'
import { invalidOption } from './errors.ts'
import { type EarlyRefresh, LoadTime } from './freshness.ts'
import { Validator } from './schema.ts'
import type { StoreCall } from './store.ts'

/** How long an entry lives, and what goes with it. */
export interface EntryTerms {
  /** Milliseconds. */
  readonly ttl: number
  /** Milliseconds. */
  readonly grace: number
  readonly jitter: number
  readonly tags?: readonly string[] | undefined
  readonly metadata?: Metadata | undefined
}

/** The options of a cache with those of a call over them: complete, in milliseconds. */
export interface Policy extends EntryTerms {
  /** `undefined`: off. */
  readonly early: EarlyRefresh | undefined
  /** Of the loads by this cache or namespace, if they are to be refreshed early. */
  readonly loadTime: LoadTime
  /** What values have to match; `undefined`: nothing. */
  readonly schema: Validator | undefined
  /** `undefined`: off. */
  readonly softTimeout: number | undefined
  /** `undefined`: off. */
  readonly hardTimeout: number | undefined
  /** 0: off. */
  readonly negativeTtl: number
  /** 0: off. */
  readonly errorTtl: number
  readonly tags: readonly string[] | undefined
  readonly signal: AbortSignal | undefined
  /** What the store is asked with. */
  readonly call: StoreCall | undefined
  /** Whether a caller may stop waiting before the load ends. */
  readonly isImpatient: boolean
}

/** A cache of which nothing was said. */
const DEFAULTS: Omit<Policy, 'loadTime'> = {
  ttl: 300_000,
  grace: 0,
  jitter: 0.05,
  tags: undefined,
  early: undefined,
  schema: undefined,
  softTimeout: undefined,
  hardTimeout: undefined,
  negativeTtl: 0,
  errorTtl: 0,
  signal: undefined,
  call: undefined,
  isImpatient: false,
}

/**
 * The policy of a cache, or of a namespace in one.
 *
 * @param base of what the namespace is in
 * @throws CacheError `INVALID_TTL` for the ttl, `INVALID_OPTION` for all else
 */
export function ownPolicy(
  options: NamespaceOptions & SchemaOption<unknown>,
  base: Omit<Policy, 'loadTime'> = DEFAULTS,
): Policy {
  const schema = options.schema === undefined ? base.schema : Validator.of(options.schema)
  return policyOf({ ...base, schema, loadTime: new LoadTime() }, options)
}

/** The policy of a call. @throws CacheError `INVALID_TTL` for the ttl, `INVALID_OPTION` for all else */
export function policyOf(base: Policy, options: LoadOptions): Policy {
  const { ttl, grace, jitter, tags } = termsOf(base, options)
  const { negativeTtl, errorTtl } = options
  const softTimeout = timeoutOf(options.softTimeout, base.softTimeout, toSoftTimeout)
  const hardTimeout = timeoutOf(options.hardTimeout, base.hardTimeout, toHardTimeout)
  const signal = toSignal(options.signal)
  return {
    ttl,
    grace,
    jitter,
    tags,
    early: earlyOf(base.early, options),
    loadTime: base.loadTime,
    schema: base.schema,
    softTimeout,
    hardTimeout,
    negativeTtl: negativeTtl === undefined ? base.negativeTtl : toRetention(negativeTtl, 'negativeTtl'),
    errorTtl: errorTtl === undefined ? base.errorTtl : toRetention(errorTtl, 'errorTtl'),
    signal,
    call: toCall(options),
    isImpatient: softTimeout !== undefined || hardTimeout !== undefined || signal !== undefined,
  }
}

/** @throws CacheError `INVALID_TTL` for the ttl, `INVALID_OPTION` for all else */
export function termsOf(base: Policy, options: SetOptions): EntryTerms {
  const { ttl, grace, jitter, tags, metadata } = options
  return {
    ttl: ttl === undefined ? base.ttl : toMilliseconds(ttl, 'ttl', 'INVALID_TTL'),
    grace: grace === undefined ? base.grace : toMillisecondsFromZero(grace, 'grace'),
    jitter: jitter === undefined ? base.jitter : toJitter(jitter),
    tags: tags === undefined ? undefined : orNone(toTags(tags)),
    metadata,
  }
}

function earlyOf(
  base: EarlyRefresh | undefined,
  { refreshAhead: ahead, earlyRefresh: early }: ReadThroughOptions,
): EarlyRefresh | undefined {
  if (ahead === undefined && early === undefined) return base
  const refreshAhead = ahead === undefined ? (base?.refreshAhead ?? 0) : toFraction(ahead)
  const earlyRefresh = early === undefined ? (base?.earlyRefresh ?? 0) : toFactor(early)
  if (refreshAhead === 0 && earlyRefresh === 0) return undefined
  return { refreshAhead, earlyRefresh }
}

function timeoutOf(
  option: Duration | false | undefined,
  inherited: number | undefined,
  check: (option: Duration) => number,
): number | undefined {
  if (option === undefined) return inherited
  return option === false ? undefined : check(option)
}

const toSoftTimeout = (value: Duration): number =>
  Math.min(toMillisecondsFromZero(value, 'softTimeout'), MAX_TIMER_MS)
const toHardTimeout = (value: Duration): number =>
  Math.min(toMilliseconds(value, 'hardTimeout'), MAX_TIMER_MS)
const orNone = (tags: readonly string[]) => (tags.length === 0 ? undefined : tags)

function toRetention(value: Duration | false, name: string): number {
  return value === false ? 0 : toMilliseconds(value, name)
}

function toJitter(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw invalidOption('jitter', value, 'a number from 0 to 1')
}

function toFraction(value: unknown): number {
  if (value === false) return 0
  if (typeof value === 'number' && value > 0 && value < 1) return value
  throw invalidOption('refreshAhead', value, 'more than 0 and less than 1, or false')
}

function toFactor(value: unknown): number {
  if (value === false) return 0
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value
  throw invalidOption('earlyRefresh', value, 'a number more than 0, or false')
}

function toSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value
  throw invalidOption('signal', value, 'an AbortSignal')
}
