import { parse, type StringifyOptions, stringify } from 'devalue'
import { isPolluted, isSuspicious, POLLUTED } from './pollution.ts'
import { kindOf, refused, tagOf } from './refusal.ts'
import type { Serializer } from './serializer.ts'

/**
 * [devalue](https://github.com/sveltejs/devalue), which must be installed beside this package: what JSON keeps, and
 * `Date`, `Map`, `Set`, BigInt, `undefined`, `NaN`, infinities, `-0`, typed arrays, `URL` and cycles. Refused are functions,
 * symbols, promises, objects of a class, regular expressions, sparse arrays, and properties named `__proto__`
 * or `constructor.prototype`.
 *
 * Repeated references stay references: what a hostile writer stored may be a small graph that is huge to
 * whoever walks it as a tree.
 */
export const devalue: Serializer = Object.freeze({
  id: 4,
  name: 'devalue',
  encode(value: unknown): Buffer {
    const text = textOf(value)
    if (isSuspicious(text) && isPolluted(parse(text))) throw refused('devalue', POLLUTED)
    return Buffer.from(text)
  },
  decode(bytes: Buffer): unknown {
    const text = bytes.toString('utf8')
    const value: unknown = parse(text, REVIVERS, { operations: READING })
    if (isSuspicious(text) && isPolluted(value)) throw new SyntaxError('polluted devalue')
    return value
  },
})

const NO_SPARSE = 'a sparse array'
const NO_PATTERN = 'a regular expression'

class Refusal extends Error {}

function refuse(kind: string): never {
  throw new Refusal(kind)
}

/** To parse digits takes time in the square of their number: a few megabytes of them would stop the process. */
const MAX_DIGITS = 10_000
const MAX_BIGINT = 10n ** BigInt(MAX_DIGITS - 1)
const LONG_BIGINT = `a BigInt of ${MAX_DIGITS} digits or more`

const REVIVERS = {
  BigInt: (digits: unknown): bigint =>
    typeof digits === 'string' && digits.length <= MAX_DIGITS ? BigInt(digits) : refuse(LONG_BIGINT),
}

/** A pattern of a stranger's may take for ever to match; a length without elements takes nothing to claim. */
const READING = {
  fromRegExpInfo: (): never => refuse(NO_PATTERN),
  createSparseArray: (): never => refuse(NO_SPARSE),
}

const WRITING: NonNullable<StringifyOptions['operations']> = {
  regExpInfo: () => refuse(NO_PATTERN),
  indicesOf: () => refuse(NO_SPARSE),
  toPrimitive: value =>
    typeof value === 'bigint' && (value >= MAX_BIGINT || value <= -MAX_BIGINT) ? refuse(LONG_BIGINT) : value,
}

function textOf(value: unknown): string {
  try {
    return stringify(value, undefined, { operations: WRITING })
  } catch (thrown) {
    // Without the cause: it carries the path and the value itself.
    throw refused('devalue', complaint(thrown))
  }
}

function complaint(thrown: unknown): string {
  if (thrown instanceof Refusal) return thrown.message
  if (thrown instanceof RangeError) return 'a value nested too deeply or too large'
  if (!(thrown instanceof Error) || thrown.name !== 'DevalueError' || !('value' in thrown)) {
    return 'an object whose getter or iterator throws'
  }
  const { value } = thrown
  if (typeof value !== 'object' || value === null || tagOf(value) !== 'Object') return kindOf(value)
  if (Object.hasOwn(value, '__proto__')) return POLLUTED
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return kindOf(value)
  return Object.getOwnPropertySymbols(value).length > 0 ? 'a property named by a symbol' : kindOf(value)
}
