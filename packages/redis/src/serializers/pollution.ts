import { partsOf } from './refusal.ts'

/** The property names that reach a prototype when a careless program copies them, in words for an error. */
export const POLLUTED = 'a property named __proto__ or constructor.prototype'

/** What both names contain: short enough for the search that is fastest, and in few values. */
const COMMON_PART = 'proto'
/** The letters of the names lie between U+005F and U+007A, and JSON may spell any of them as an escape. */
const ESCAPED_LETTER = /\\u00[567]/

/**
 * Whether a text of JSON could contain such a name as a property: nearly none does, and to find that out takes
 * some hundredths of what parsing does. If so, {@link isPolluted} tells.
 */
export function isSuspicious(text: string): boolean {
  return (
    (text.includes(COMMON_PART) && (text.includes('__proto__') || text.includes('"prototype"'))) ||
    (text.includes('\\u00') && ESCAPED_LETTER.test(text))
  )
}

/** As {@link isSuspicious}, of a format without escapes: the names lie in the bytes as they are. */
export function areSuspicious(bytes: Buffer): boolean {
  return bytes.includes(COMMON_PART) && (bytes.includes('__proto__') || bytes.includes('prototype'))
}

/**
 * Whether a value has an own property `__proto__`, or an own `constructor` with an own `prototype`, at any
 * depth. It harms nobody where it lies, but what merges or copies it property by property writes into
 * `Object.prototype`: such values are neither written nor read.
 */
export function isPolluted(value: unknown): boolean {
  const pending: unknown[] = [value]
  const seen = new Set<unknown>()
  while (pending.length > 0) {
    const part = pending.pop()
    if (typeof part !== 'object' || part === null || seen.has(part)) continue
    seen.add(part)
    if (Object.hasOwn(part, '__proto__') || hasPrototype(ownConstructor(part))) return true
    for (const each of partsOf(part)) pending.push(each)
  }
  return false
}

function ownConstructor(value: object): unknown {
  return Object.hasOwn(value, 'constructor') ? value.constructor : undefined
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}
