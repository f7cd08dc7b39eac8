import { CacheError } from '@cache/core'
import fc from 'fast-check'
import { check, equal } from '../expect.ts'
import { endingOf, type Scene } from './scene.ts'
import { type Group, group } from './spec.ts'

const SECRET = 'hunter2-must-not-be-quoted'

/** What JSON has no word for, or cannot end with. */
const UNKEEPABLE: Readonly<Record<string, () => unknown>> = {
  'a function': () => () => SECRET,
  'a symbol': () => Symbol(SECRET),
  'a BigInt inside': () => ({ [SECRET]: SECRET, big: 1n }),
  'a cycle': () => {
    const cycle: Record<string, unknown> = { [SECRET]: SECRET }
    cycle.self = cycle
    return cycle
  },
}

const deep = (levels: number): unknown => {
  let value: unknown = 'bottom'
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { value }
  return value
}

/** Values of JSON that are easily lost or changed on the way. */
const HOSTILE: Readonly<Record<string, () => unknown>> = {
  'an empty object and an empty array': () => [{}, [], [[]]],
  'numbers at the edge': () => [0.1 + 0.2, 2 ** 53 - 1, -(2 ** 53) + 1, 1e-300, 1.797e308],
  'text that looks like something else': () => [
    'null',
    'undefined',
    '1',
    'true',
    '{"a":1}',
    '"',
    "'",
    '\\',
    ':x:',
  ],
  'control characters and line ends': () => 'a\u0000b\r\n\u2028\u2029\u007f',
  'text beyond the first plane': () => '🦄𝒳 e\u0301 é \ud83d\udc69\u200d\ud83d\ude80',
  'an object whose names are those of a prototype': () => ({
    constructor: 1,
    toString: 'x',
    hasOwnProperty: null,
    length: 3,
  }),
  'an object that looks like an entry': () => ({
    value: 1,
    createdAt: 0,
    freshUntil: 0,
    expiresAt: 0,
    expires: 0,
  }),
  'a hundred levels': () => deep(100),
  'a megabyte of text': () => 'x'.repeat(1_000_000),
  'ten thousand numbers': () => Array.from({ length: 10_000 }, (_, i) => i / 3),
}

/** What values may be. */
export const values: Group = group('values', [
  ...[0, '', false, null].map(value => ({
    rule: 'falsy' as const,
    name: `${JSON.stringify(value)} is a value`,
    async run(scene: Scene) {
      await scene.put('elder', 'not falsy')
      for (const key of ['k', 'elder']) {
        const entry = await scene.put(key, value)
        await scene.holds(key, entry, `an entry with the value ${JSON.stringify(value)}`)
      }
    },
  })),
  ...Object.entries(HOSTILE).map(([name, make]) => ({
    rule: 'values' as const,
    name: `${name}: as it was, or refused`,
    run: (scene: Scene) => asItWasOrRefused(scene, 'k', make()),
  })),
  {
    rule: 'values',
    name: 'any JSON comes back as it was or is refused',
    async run(scene) {
      // JSON has no -0.
      const json = fc.jsonValue().map(value => JSON.parse(JSON.stringify(value)) as unknown)
      await fc.assert(
        fc.asyncProperty(json, value => asItWasOrRefused(scene, 'k', value)),
        { numRuns: 100 },
      )
    },
  },
  {
    rule: 'values',
    name: 'what a reader does to a value that it was given does not reach another key',
    async run(scene) {
      await scene.put('a', { list: [1] })
      await scene.put('b', { list: [1] })
      const read = await scene.store.get('a')
      // A store may freeze what it holds.
      await endingOf(() => void (read?.value as { list: number[] } | undefined)?.list.push(2))
      equal((await scene.store.get('b'))?.value, { list: [1] }, 'the value of another key')
    },
  },
  {
    rule: 'values',
    name: 'a property named __proto__ is kept or refused, and reaches no prototype',
    async run(scene) {
      const value: unknown = JSON.parse('{ "__proto__": { "polluted": true }, "a": 1 }')
      await asItWasOrRefused(scene, 'k', value)
      check(!('polluted' in {}), 'the property has become one of every object')
    },
  },
  ...Object.entries(UNKEEPABLE).map(([name, make]) => ({
    rule: 'refusal' as const,
    name: `${name}: kept, or refused in words`,
    async run(scene: Scene) {
      const elder = await scene.put('k', 'elder')
      const value = make()
      if (await refused(scene, 'k', value))
        await scene.holds('k', elder, `what the key held before ${name} was refused`)
      else equal((await scene.store.get('k'))?.value, value, `${name}, which was not refused`)
    },
  })),
])

/** A value must come back as it was, unless it was refused. */
async function asItWasOrRefused(scene: Scene, key: string, value: unknown): Promise<void> {
  if (await refused(scene, key, value)) return
  equal((await scene.store.get(key))?.value, value, 'a value that was applied')
}

/** Whether a value is refused; fails if that is not said properly. */
async function refused(scene: Scene, key: string, value: unknown): Promise<boolean> {
  const ending = await endingOf(() => scene.store.set(key, scene.entry(value)))
  if ('value' in ending && ending.value?.status === 'applied') return false
  const error = 'thrown' in ending ? ending.thrown : ending.value?.error
  check(
    error instanceof CacheError,
    `what is refused must be refused with a CacheError, not with ${kind(error)}`,
  )
  check(
    error.code === 'SERIALIZATION' || error.code === 'INVALID_VALUE',
    `the code of the refusal must be SERIALIZATION or INVALID_VALUE, not ${error.code}`,
  )
  check(!`${error.message}${error.stack}`.includes(SECRET), 'the refusal quotes the value')
  return true
}

function kind(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.replaceAll(SECRET, '…')}` : typeof error
}
