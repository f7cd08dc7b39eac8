import { isPolluted, isSuspicious, POLLUTED } from './pollution.ts'
import { kindOf, refused } from './refusal.ts'
import type { Serializer } from './serializer.ts'

/**
 * Plain JSON, with its rules: a `Date` comes back as a string, `NaN` and infinities as `null`; properties that
 * are `undefined`, functions or symbols are left out (in arrays they become `null`); `Map` and `Set` come back
 * as `{}`. Refused is what would otherwise vanish or throw: a value that is itself `undefined`, a function or a
 * symbol, and a BigInt or a cycle anywhere; and, when written as when read, a property named `__proto__`
 * or `constructor.prototype` at any depth.
 */
export const json: Serializer = Object.freeze({
  id: 1,
  name: 'json',
  encode(value: unknown): Buffer {
    const text = stringify(value)
    if (text === undefined) throw refused('JSON', kindOfNothing(value))
    // What is not read must not be written: it would be lost without a word.
    if (isSuspicious(text) && isPolluted(JSON.parse(text))) throw refused('JSON', POLLUTED)
    return Buffer.from(text)
  },
  decode(bytes: Buffer): unknown {
    return parseJson(bytes.toString())
  },
})

/** The value of a text that may be anything. @throws SyntaxError, which may quote the text */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (isSuspicious(text) && isPolluted(value)) throw new SyntaxError('polluted JSON')
  return value
}

/** JSON's own signature denies that it answers `undefined` for what it cannot express. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (thrown) {
    // Without the cause: its message names properties, and a toJSON may say anything.
    throw refused('JSON', complaint(thrown))
  }
}

function kindOfNothing(value: unknown): string {
  return typeof value === 'object' ? 'an object whose toJSON returns undefined' : kindOf(value)
}

function complaint(thrown: unknown): string {
  if (thrown instanceof RangeError) return 'a value nested too deeply or too large'
  if (!(thrown instanceof TypeError)) return 'an object whose toJSON or getter throws'
  if (/BigInt/.test(thrown.message)) return 'a BigInt'
  return /circular/i.test(thrown.message) ? 'a circular reference' : 'an object whose toJSON or getter throws'
}
