import { MAX_KEY_LENGTH } from '@cache/core'
import fc from 'fast-check'
import { check } from '../expect.ts'
import { applied, endingOf, nameOf, type Scene } from './scene.ts'
import { type Group, group } from './spec.ts'

/** Keys that some store somewhere takes for one another. */
const ALIKE: Readonly<Record<string, readonly string[]>> = {
  'upper and lower case': ['key', 'Key', 'KEY', 'ſ', 's', 'İ', 'i'],
  'blanks at the ends': ['k', ' k', 'k ', 'k\t', 'k\n', ' k '],
  'forms of one letter': ['\u00fc', 'u\u0308', 'u'],
  'what looks like a number': ['1', '01', '1.0', '1e0', '+1'],
  'names of a prototype': ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'],
  wildcards: ['a*', 'a?', 'a%', 'a_', '[a]', 'ab', 'a', '*', '%', '_'],
  'paths and escapes': ['a/b', 'a\\b', '../a', './a', '/a', 'a//b', '%2e%2e', 'a%2Fb', 'a?b=c', 'a#b'],
  'quotes and commands': ["'", '"', '`', "'; DROP TABLE entries; --", '$1', '$(a)', '\r\nDEL a\r\n'],
  'control characters': ['\u0000', 'a\u0000', 'a\u0000b', 'a', '\u0001', '\u007f', '\u2028'],
  'letters beyond the first plane': ['🦄', '𝒳', 'X', '\ufffd', '\uffff', '👩‍🚀', '👩'],
  separators: ['a:b', 'a::b', 'a:b:', ':', '::', 'a', 'b', '{a}b', 'a{b}'],
  length: [
    'k'.repeat(255),
    'k'.repeat(256),
    'k'.repeat(MAX_KEY_LENGTH - 1),
    `${'k'.repeat(MAX_KEY_LENGTH - 1)}l`,
    'k'.repeat(MAX_KEY_LENGTH),
  ],
  'length in bytes': ['ü'.repeat(200), `${'ü'.repeat(200)}x`, '🦄'.repeat(300), `${'🦄'.repeat(300)}x`],
}

/** What keys may be: any well-formed string of 1 to `MAX_KEY_LENGTH` characters. */
export const keys: Group = group('keys', [
  ...Object.entries(ALIKE).map(([name, alike]) => ({
    rule: 'keys' as const,
    name: `${name}: every key holds its own`,
    run: (scene: Scene) => everyKeyHoldsItsOwn(scene, alike),
  })),
  {
    rule: 'keys',
    name: 'any keys hold their own',
    async run(scene) {
      const key = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(key, { minLength: 2, maxLength: 5 }), keys =>
          everyKeyHoldsItsOwn(scene, keys),
        ),
        { numRuns: 20 },
      )
    },
  },
])

/** Writes all keys, then reads all, then deletes them one by one. A key may be refused, if it is not there then. */
async function everyKeyHoldsItsOwn(scene: Scene, keys: readonly string[]): Promise<void> {
  const { store } = scene
  const held = new Map<string, number>()
  for (const [i, key] of keys.entries()) {
    const ending = await endingOf(() => store.set(key, scene.entry(i)))
    if ('value' in ending && ending.value?.status === 'applied') held.set(key, i)
  }
  check(held.size > 0, 'not a single one of the keys was accepted')
  const holdsItsOwn = async (key: string): Promise<void> => {
    const ending = await endingOf(() => store.get(key))
    const value = 'value' in ending ? ending.value?.value : undefined
    const expected = held.get(key)
    check(value === expected, `${nameOf(key)} holds ${shown(keys, value)}, not ${shown(keys, expected)}`)
  }
  for (const key of keys) await holdsItsOwn(key)
  for (const key of [...held.keys()]) {
    applied(await store.delete(key), `delete of ${nameOf(key)}`)
    held.delete(key)
    for (const other of keys) await holdsItsOwn(other)
  }
}

/** The value of one of the keys, for a message. */
function shown(keys: readonly string[], value: unknown): string {
  if (value === undefined) return 'nothing'
  return `what was written to ${nameOf(keys[value as number] ?? '')}`
}
