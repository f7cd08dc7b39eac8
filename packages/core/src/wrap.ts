import type { LoadOptions } from './cache-options.ts'
import { CacheError, invalidOption, kindOf } from './errors.ts'
import type { WriteOutcome } from './outcome.ts'
import type { Policy } from './policy.ts'
import { getOrSet } from './reads.ts'
import type { View } from './view.ts'
import { remove } from './writes.ts'

/** What {@link WrapOptions.prefix} can tell apart. */
export type Primitive = string | number | bigint | boolean | null | undefined

/**
 * How a function is wrapped: everything that `getOrSet` takes, and how its calls are told apart.
 *
 * @typeParam A the arguments of the function
 */
export type WrapOptions<A extends readonly unknown[]> = WrapLoadOptions<A> & WrapKey<A>

/** As of `getOrSet`, for all calls. */
interface WrapLoadOptions<A extends readonly unknown[]> extends Omit<LoadOptions, 'tags'> {
  /** Tags of the loaded values, the same for all or by the arguments. */
  readonly tags?: readonly string[] | ((...args: A) => readonly string[])
}

/** `key` always does; `prefix` if every argument is a primitive. */
export type WrapKey<A extends readonly unknown[]> =
  | KeyOfCall<A>
  | (IsAny<A[number]> extends true ? never : A extends readonly Primitive[] ? PrefixOfCalls : never)

interface KeyOfCall<A extends readonly unknown[]> {
  /** The key of a call. Two calls with one key get one value. */
  readonly key: (...args: A) => string
  readonly prefix?: never
}

interface PrefixOfCalls {
  /** What the keys begin with, followed by the arguments: `users(7,"de")`. 1 or more characters without `(`. */
  readonly prefix: string
  readonly key?: never
}

type IsAny<T> = 0 extends 1 & T ? true : false

/** The arguments as the function has them: an option that looks at the first only does not decide how many there are. */
export type Settled<A extends readonly unknown[]> = [A][A extends unknown ? 0 : never]

/** A function whose calls are answered from a cache. */
export interface Wrapped<A extends readonly unknown[], R> {
  (...args: A): Promise<R>
  /** The key of a call, as `cache.get` takes it. @throws CacheError `INVALID_KEY`; whatever the key function throws */
  key(...args: A): string
  /** Removes the value of a call. @throws CacheError `INVALID_KEY`, `CLOSED`; whatever the key function throws */
  invalidate(...args: A): Promise<WriteOutcome>
}

/** @throws CacheError `INVALID_OPTION`, `INVALID_TTL` */
export function wrap<A extends readonly unknown[], R>(
  view: View,
  fn: (...args: A) => unknown,
  options: WrapOptions<A>,
): Wrapped<A, R> {
  if (typeof fn !== 'function') throw invalidOption('fn', fn, 'a function')
  if (typeof options !== 'object' || options === null) throw invalidOption('options', options, 'an object')
  const keyOf = toKeyFunction(options)
  const policyOf = toPolicyFunction(view, options)
  const call = (...args: A): Promise<R> => {
    try {
      return getOrSet(view, keyOf(...args), () => fn(...args), policyOf(args)) as Promise<R>
    } catch (error) {
      return Promise.reject(error)
    }
  }
  const invalidate = async (...args: A): Promise<WriteOutcome> => remove(view, keyOf(...args))
  return Object.assign(call, { key: keyOf, invalidate })
}

/** @throws CacheError `INVALID_OPTION` */
function toKeyFunction<A extends readonly unknown[]>({
  key,
  prefix,
}: WrapOptions<A>): (...args: A) => string {
  if ((key === undefined) === (prefix === undefined)) {
    throw new CacheError('INVALID_OPTION', 'wrap needs either key, a function of the arguments, or prefix')
  }
  if (key !== undefined) {
    if (typeof key === 'function') return key
    throw invalidOption('key', key, 'a function of the arguments that returns a string')
  }
  if (typeof prefix !== 'string' || prefix === '' || prefix.includes('(') || !prefix.isWellFormed()) {
    throw invalidOption('prefix', prefix, 'a string of 1 or more characters without "("')
  }
  return (...args) => `${prefix}(${args.map(encode).join()})`
}

/**
 * A primitive as text that no other primitive has, and that does not go on into the next: strings are in quotes, with the quotes and
 * lone surrogates in them escaped.
 */
function encode(argument: unknown, index: number): string {
  switch (typeof argument) {
    case 'string':
      return JSON.stringify(argument)
    case 'bigint':
      return `${argument}n`
    case 'number':
      return Object.is(argument, -0) ? '-0' : String(argument)
    case 'boolean':
    case 'undefined':
      return String(argument)
  }
  if (argument === null) return 'null'
  throw new CacheError(
    'INVALID_KEY',
    `with a prefix, arguments must be strings, numbers, bigints, booleans, null or undefined; ` +
      `argument ${index + 1} is ${kindOf(argument)}: give a key function instead`,
  )
}

/** The policy of a call by its arguments; made once unless their tags differ. @throws CacheError `INVALID_OPTION`, `INVALID_TTL` */
function toPolicyFunction<A extends readonly unknown[]>(
  view: View,
  { tags, ...others }: WrapLoadOptions<A>,
): (args: A) => Policy {
  if (typeof tags !== 'function') {
    const policy = view.policyFor(tags === undefined ? others : { ...others, tags })
    return () => policy
  }
  view.policyFor(others) // Bad options are told at once.
  return args => view.policyFor({ ...others, tags: tags(...args) })
}
