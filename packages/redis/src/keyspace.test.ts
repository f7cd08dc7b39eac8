import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Keyspace } from './keyspace.ts'

const anyKey = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.string({ unit: fc.constantFrom('\0', '{', '}', 'a', ':'), minLength: 1 }),
  fc.constantFrom('\0{order}last', '\0\0', '{order}last', '\0{order}tag:a'),
)

test('every key of an entry comes back, and none is one of our own', () => {
  fc.assert(
    fc.property(anyKey, fc.constantFrom('c:', 'a{b}', '\0', 'x\0'), (key, prefix) => {
      const keys = new Keyspace(prefix)
      const redisKey = keys.keyOf(key)
      expect(keys.entryKeyOf(redisKey)).toBe(key)
      expect([keys.last, keys.clears, keys.recent]).not.toContain(redisKey)
      expect(keys.tagKeyOf(key)).not.toBe(redisKey)
    }),
  )
})

test('two keys of entries are never the same', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (a, b) => {
      fc.pre(a !== b)
      const keys = new Keyspace('c:')
      expect(keys.keyOf(a)).not.toBe(keys.keyOf(b))
    }),
  )
})

test('our own keys are no entries, and begin with the prefix', () => {
  const keys = new Keyspace('c:')
  for (const own of [keys.last, keys.clears, keys.recent, keys.tagKeyOf('t')]) {
    expect(keys.entryKeyOf(own)).toBeUndefined()
    expect(own.startsWith('c:')).toBe(true)
  }
})

test('a key begins with a scope exactly if its Redis key does', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (key, scope) => {
      const keys = new Keyspace('c:')
      expect(keys.keyOf(key).startsWith(keys.keyOf(scope))).toBe(key.startsWith(scope))
    }),
  )
})
