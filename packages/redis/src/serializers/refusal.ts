import { CacheError } from '@cache/core'

/**
 * The error for a value that a serializer cannot hold.
 *
 * @param format as it is called in prose: `JSON`
 * @param kind what it cannot hold, by its kind and never its content: `a function`
 */
export function refused(format: string, kind: string): CacheError {
  return new CacheError('SERIALIZATION', `${format} cannot hold ${kind}`)
}

/** The kind of a value in two words: `a symbol`, `a BigInt`, `a Promise`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (typeof value === 'bigint') return 'a BigInt'
  if (typeof value !== 'object') return `a ${typeof value}`
  const tag = tagOf(value)
  return tag === 'Object' ? 'an object of a class' : `${/^[AEIOU]/.test(tag) ? 'an' : 'a'} ${tag}`
}

/** `Map`, `Date`, `Object`…; a tag of somebody's own making may be content, and counts as `Object`. */
export function tagOf(value: object): string {
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1)
  return BUILT_IN.has(tag) ? tag : 'Object'
}

const BUILT_IN: ReadonlySet<string> = new Set([
  ...['Array', 'ArrayBuffer', 'Boolean', 'BigInt', 'DataView', 'Date', 'Error', 'Function', 'Map', 'Number'],
  ...['Promise', 'RegExp', 'Set', 'SharedArrayBuffer', 'String', 'Symbol', 'WeakMap', 'WeakRef', 'WeakSet'],
  ...[
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
  ],
  ...['Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
  ...['URL', 'URLSearchParams', 'Generator', 'Arguments'],
])

/**
 * The kind of the first part of a value, itself included, that no serializer holds: for the message of an error
 * whose own words would quote the value.
 */
export function unholdable(value: unknown): string {
  const pending: unknown[] = [value]
  const seen = new Set<unknown>()
  try {
    while (pending.length > 0) {
      const part = pending.pop()
      if (typeof part === 'function' || typeof part === 'symbol') return kindOf(part)
      if (typeof part !== 'object' || part === null || seen.has(part)) continue
      seen.add(part)
      if (/^(Promise|Weak|Generator)/.test(tagOf(part))) return kindOf(part)
      for (const each of partsOf(part)) pending.push(each)
    }
  } catch {
    return 'an object whose getter or iterator throws'
  }
  return 'a value of this kind'
}

/** What a value holds directly: elements, entries or own properties. */
export function partsOf(value: object): readonly unknown[] {
  if (value instanceof Map) return Array.from(value).flat()
  if (value instanceof Set) return Array.from(value)
  if (ArrayBuffer.isView(value)) return []
  return Object.values(value)
}
