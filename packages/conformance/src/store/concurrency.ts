import { type Awaitable, isBatching, type Store } from '@cache/core'
import fc from 'fast-check'
import { check } from '../expect.ts'
import { applied, type Scene } from './scene.ts'
import { type Group, group } from './spec.ts'

const KEYS = ['a', 'ab', 'b'] as const

/** A write of the property: `n` numbers the values. */
type Write =
  | { readonly kind: 'set'; readonly key: string; readonly n: number }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'setMany'; readonly keys: readonly string[]; readonly n: number }
  | { readonly kind: 'deleteMany'; readonly keys: readonly string[] }
  | { readonly kind: 'clear'; readonly scope: string }
  | { readonly kind: 'read'; readonly key: string }

const key = fc.constantFrom(...KEYS)
const keys = fc.uniqueArray(key, { minLength: 1 })
const n = fc.nat()
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), key, n }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('setMany' as const), keys, n }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteMany' as const), keys }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('clear' as const), scope: fc.constantFrom('', 'a') }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), key }) },
)
/** Writes that are made without waiting for one another; between two bursts everything is awaited. */
const bursts = fc.array(fc.array(write, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 })

/** Calls that overlap. */
export const concurrency: Group = group('concurrency', [
  {
    rule: 'order',
    name: 'any writes that overlap end as if they had been awaited one by one',
    async run(scene) {
      let run = 0
      await fc.assert(
        fc.asyncProperty(bursts, async bursts => {
          // A store is opened once; each run has keys of its own.
          const prefix = `run${run++}:`
          const model = new Map<string, number>()
          for (const burst of bursts) {
            const answers = burst.map(write => start(scene, prefix, write))
            for (const write of burst) apply(model, write)
            await Promise.all(answers)
            for (const key of KEYS) await holdsAsInModel(scene, prefix, key, model.get(key))
          }
        }),
        { numRuns: 50 },
      )
    },
  },
  {
    rule: 'order',
    name: 'of a hundred writes of one key at once the last one counts',
    async run(scene) {
      const entries = Array.from({ length: 100 }, (_, n) =>
        scene.entry({ n, text: 'x'.repeat((n * 7919) % 5_000) }),
      )
      const outcomes = await Promise.all(entries.map(async entry => scene.store.set('k', entry)))
      for (const outcome of outcomes) applied(outcome, 'set')
      await scene.holds('k', entries.at(-1), 'the entry after a hundred writes at once')
    },
  },
  {
    rule: 'order',
    name: 'a delete after a write that is under way wins, as does a clear',
    async run(scene) {
      const { store } = scene
      const removals: readonly ((key: string) => Awaitable<unknown>)[] = [
        key => store.delete(key),
        () => store.clear(),
      ]
      for (const remove of removals) {
        for (let i = 0; i < 20; i++) {
          const entry = scene.entry('x'.repeat(i * 1_000))
          await Promise.all([store.set('k', entry), remove('k')])
          await scene.holds('k', undefined, 'a key whose removal was called after its write')
        }
      }
    },
  },
  {
    rule: 'no-mixture',
    name: 'reads during writes give whole entries',
    async run({ store, time }) {
      const write = (n: number) => {
        const createdAt = time.now()
        const value = { n, text: `${n}`.repeat(2_000), again: n }
        return store.set('k', {
          value,
          createdAt,
          freshUntil: createdAt + 60_000 + n,
          expiresAt: createdAt + 120_000 + n,
        })
      }
      await write(0)
      const writes = Array.from({ length: 40 }, async (_, n) => write(n))
      const reads = Array.from({ length: 80 }, async () => store.get('k'))
      await Promise.all(writes)
      for (const found of await Promise.all(reads)) {
        check(found, 'a key that is overwritten was missing for a moment')
        const { n, text, again } = found.value as { n: number; text: string; again: number }
        const times =
          found.expiresAt - found.freshUntil === 60_000 && found.freshUntil - found.createdAt === 60_000 + n
        check(n === again && text === `${n}`.repeat(2_000) && times, 'a read gave parts of two entries')
      }
    },
  },
])

/** Makes a call and does not wait for it. */
async function start(scene: Scene, prefix: string, write: Write): Promise<void> {
  const { store } = scene
  const full = (keys: readonly string[]): string[] => keys.map(key => prefix + key)
  switch (write.kind) {
    case 'set':
      return applied(await store.set(prefix + write.key, scene.entry(write.n)), 'set')
    case 'delete':
      return applied(await store.delete(prefix + write.key), 'delete')
    case 'clear':
      return applied(await store.clear(prefix + write.scope), 'clear')
    case 'read':
      return void (await store.get(prefix + write.key))
    case 'setMany':
      return setMany(scene, full(write.keys), write.n)
    case 'deleteMany':
      return deleteMany(store, full(write.keys))
  }
}

async function setMany(scene: Scene, keys: readonly string[], n: number): Promise<void> {
  const { store } = scene
  const entry = scene.entry(n)
  if (isBatching(store))
    return applied(await store.setMany(new Map(keys.map(key => [key, entry]))), 'setMany')
  await Promise.all(keys.map(async key => applied(await store.set(key, entry), 'set')))
}

async function deleteMany(store: Store, keys: readonly string[]): Promise<void> {
  if (isBatching(store)) return applied(await store.deleteMany(keys), 'deleteMany')
  await Promise.all(keys.map(async key => applied(await store.delete(key), 'delete')))
}

/** What a call does, in a plain map. */
function apply(model: Map<string, number>, write: Write): void {
  if (write.kind === 'set') model.set(write.key, write.n)
  if (write.kind === 'delete') model.delete(write.key)
  if (write.kind === 'setMany') for (const key of write.keys) model.set(key, write.n)
  if (write.kind === 'deleteMany') for (const key of write.keys) model.delete(key)
  if (write.kind === 'clear') for (const key of KEYS) if (key.startsWith(write.scope)) model.delete(key)
}

async function holdsAsInModel(
  { store }: Scene,
  prefix: string,
  key: string,
  expected: number | undefined,
): Promise<void> {
  const value = (await store.get(prefix + key))?.value
  check(
    value === expected,
    `${key} holds ${value ?? 'nothing'}, but the calls leave it with ${expected ?? 'nothing'}`,
  )
}
