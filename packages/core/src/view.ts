import {
  assertKeys,
  assertMetadata,
  assertStore,
  assertValue,
  prefixOf,
  versionPrefixOf,
} from './arguments.ts'
import { type Awaitable, chain } from './awaitable.ts'
import type {
  CacheOptions,
  LoadOptions,
  NamespaceOptions,
  SchemaOption,
  SetOptions,
} from './cache-options.ts'
import { systemClock } from './clock.ts'
import { toMilliseconds, toMillisecondsFromZero } from './duration.ts'
import { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { type CacheError, invalidOption } from './errors.ts'
import { assertKey } from './key.ts'
import { integer } from './options.ts'
import type { WriteOutcome } from './outcome.ts'
import { type EntryTerms, ownPolicy, type Policy, policyOf, termsOf } from './policy.ts'

const DEFAULT_BATCH_SIZE = 100
const DEFAULT_LEASE_WAIT = '5s'
const DEFAULT_CLOSE_WAIT = '2s'

/** What makes a cache or namespace one of its own: the beginning of its keys, and its options. */
export class View {
  readonly engine: Engine
  readonly prefix: string
  readonly policy: Policy
  readonly batchSize: number

  constructor({
    engine,
    prefix,
    policy,
    batchSize,
  }: Pick<View, 'engine' | 'prefix' | 'policy' | 'batchSize'>) {
    this.engine = engine
    this.prefix = prefix
    this.policy = policy
    this.batchSize = batchSize
  }

  /** @throws CacheError `INVALID_OPTION`, `INVALID_TTL` */
  static of(options: CacheOptions & SchemaOption<unknown>): View {
    const { store, name = 'cache', namespace, clock = systemClock, observer, random = Math.random } = options
    assertStore(store)
    if (typeof random !== 'function') throw invalidOption('random', random, 'a function')
    const policy = ownPolicy(options)
    const batchSize = integer(options.batchSize ?? DEFAULT_BATCH_SIZE, 'batchSize', 1)
    const prefix = (namespace === undefined ? '' : prefixOf(namespace)) + versionPrefixOf(options.version)
    const leaseWait = toMilliseconds(options.leaseWait ?? DEFAULT_LEASE_WAIT, 'leaseWait')
    const closeWait = toMillisecondsFromZero(options.closeWait ?? DEFAULT_CLOSE_WAIT, 'closeWait')
    const engine = new Engine({ name, store, clock, observer, leaseWait, closeWait, random })
    return new View({ engine, prefix, policy, batchSize })
  }

  /** The view of a namespace in this one. @throws CacheError `INVALID_OPTION`, `INVALID_TTL` */
  nest(name: string, options: NamespaceOptions & SchemaOption<unknown>): View {
    const { engine, batchSize } = this
    const policy = ownPolicy(options, this.policy)
    const prefix = this.prefix + prefixOf(name) + versionPrefixOf(options.version)
    return new View({ engine, prefix, policy, batchSize })
  }

  /** The whole key. @throws CacheError `INVALID_KEY` */
  address(key: string): string {
    assertKey(key)
    return this.prefix === '' ? key : this.prefix + key
  }

  /** The whole key, for a call. @throws CacheError `INVALID_KEY`, `CLOSED` */
  open(key: string): string {
    this.engine.life.assertOpen()
    return this.address(key)
  }

  /** Whole keys, each once, with the key the caller gave. @throws CacheError `INVALID_KEY`, `INVALID_OPTION`, `CLOSED` */
  addresses(keys: Iterable<string>): Map<string, string> {
    this.engine.life.assertOpen()
    assertKeys(keys)
    const addresses = new Map<string, string>()
    for (const key of keys) addresses.set(this.address(key), key)
    return addresses
  }

  /** What is to be stored for a value. @throws CacheError `INVALID_VALUE`, `INVALID_TTL`, `INVALID_OPTION`, now or later */
  entry(value: unknown, options: SetOptions | undefined): Awaitable<Entry> {
    const { schema } = this.policy
    const terms = this.#termsOf(value, options)
    if (schema === undefined) return this.engine.entry(value, terms)
    return chain(schema.admit(value, 'the value'), output => this.engine.entry(output, terms))
  }

  /** The same at once, as far as the schema can tell. @throws CacheError `INVALID_VALUE`, `INVALID_TTL`, `INVALID_OPTION` */
  entryNow(value: unknown, options: SetOptions | undefined): Entry {
    const { schema } = this.policy
    const terms = this.#termsOf(value, options)
    return this.engine.entry(schema === undefined ? value : schema.admitNow(value, 'the value'), terms)
  }

  #termsOf(value: unknown, options: SetOptions | undefined): EntryTerms {
    assertValue(value)
    if (options === undefined) return this.policy
    assertMetadata(options.metadata)
    return this.#tagged(termsOf(this.policy, options))
  }

  /** @throws CacheError `INVALID_TTL`, `INVALID_OPTION` */
  policyFor(options: LoadOptions | undefined): Policy {
    return options === undefined ? this.policy : this.#tagged(policyOf(this.policy, options))
  }

  /** An outcome with its keys as the caller gave them. */
  named(outcome: WriteOutcome): WriteOutcome {
    const { failures } = outcome
    if (!failures || this.prefix === '') return outcome
    const named = new Map<string, CacheError>()
    for (const [address, error] of failures) named.set(address.slice(this.prefix.length), error)
    return { ...outcome, failures: named }
  }

  #tagged<T extends EntryTerms>(terms: T): T {
    if (terms.tags !== undefined) this.engine.assertTagging()
    return terms
  }
}
