import { type Awaitable, isBatching } from '@cache/core'
import { NothingToTry } from '../case.ts'
import { check, equal, eventually } from '../expect.ts'
import { type Ending, endingOf, type Scene } from './scene.ts'
import type { Group, Spec } from './spec.ts'
import type { Fault } from './subject.ts'

const BOUND_MS = 5_000
const RECOVERY_MS = 10_000

/** What a store does while what is behind it fails, and after that: a group for each way to fail. */
export function faultGroups(faults: readonly Fault[]): readonly Group[] {
  return faults.map(fault => ({ name: `faults: ${fault.name}`, specs: specsOf(fault) }))
}

function specsOf(fault: Fault): readonly Spec[] {
  const boundMs = fault.boundMs ?? BOUND_MS
  /** How calls that are made during the fault end. */
  const during = async <T>(scene: Scene, calls: readonly (() => Awaitable<T>)[]): Promise<Ending<T>[]> => {
    await fault.begin(scene.context)
    try {
      return await Promise.all(calls.map(call => bounded(boundMs, () => endingOf(call))))
    } finally {
      await fault.end(scene.context)
    }
  }
  return [
    {
      rule: 'fault-bounded',
      name: 'every call ends',
      async run(scene) {
        const { store } = scene
        await scene.put('k')
        await during<unknown>(scene, [
          () => store.get('k'),
          () => store.get('missing'),
          () => store.set('k', scene.entry('new')),
          () => store.delete('l'),
          () => store.clear('s:'),
          ...(isBatching(store)
            ? [
                () => store.getMany(['k', 'l']),
                () => store.setMany(new Map([['m', scene.entry(1)]])),
                () => store.deleteMany(['m']),
              ]
            : []),
        ])
      },
    },
    {
      rule: 'fault-read',
      name: 'no read takes an entry that is there for missing',
      async run(scene) {
        const entry = await scene.put('k')
        for (const ending of await during(scene, [() => scene.store.get('k'), () => scene.store.get('k')]))
          if ('value' in ending) equal(ending.value, entry, 'a read during the fault that did not throw')
      },
    },
    {
      rule: 'fault-read',
      name: 'a batch names the keys that it could not ask for',
      async run(scene) {
        const { store } = scene
        if (!isBatching(store)) throw new NothingToTry('the store does not offer batching')
        const keys = ['a', 'b', 'c']
        for (const key of keys) await scene.put(key)
        const [ending] = await during(scene, [() => store.getMany(keys)])
        if (!ending || 'thrown' in ending) return
        const { found, failures } = ending.value
        for (const key of keys)
          check(found.has(key) || failures?.has(key), `${key} is neither found nor among the failures`)
      },
    },
    {
      rule: 'fault-write',
      name: 'no write is applied that was not done',
      async run(scene) {
        const { store } = scene
        for (const key of ['deleted', 's:cleared', 'many']) await scene.put(key)
        const [set, remove, clear, many] = await during(scene, [
          () => store.set('set', scene.entry('during')),
          () => store.delete('deleted'),
          () => store.clear('s:'),
          () => (isBatching(store) ? store.deleteMany(['many']) : store.delete('many')),
        ])
        const works = () => endingOf(() => store.get('set')).then(ending => 'value' in ending)
        await eventually(
          works,
          'a read does not throw when the fault is over',
          fault.recoveryMs ?? RECOVERY_MS,
        )
        if (isApplied(set))
          check(await scene.has('set'), 'a set during the fault was applied, and the entry is not there')
        if (isApplied(remove))
          check(
            !(await scene.has('deleted')),
            'a delete during the fault was applied, and the entry is there',
          )
        if (isApplied(clear))
          check(
            !(await scene.has('s:cleared')),
            'a clear during the fault was applied, and an entry is there',
          )
        if (isApplied(many))
          check(!(await scene.has('many')), 'a batch during the fault was applied, and the entry is there')
      },
    },
    {
      rule: 'fault-recovery',
      name: 'the store works again by itself',
      async run(scene) {
        await scene.put('k')
        await during<unknown>(scene, [() => scene.store.get('k'), () => scene.store.set('l', scene.entry(1))])
        const works = async (): Promise<boolean> => {
          const entry = scene.entry({ at: scene.time.now() })
          const written = await endingOf(() => scene.store.set('k', entry))
          const read = await endingOf(() => scene.store.get('k'))
          return isApplied(written) && 'value' in read && read.value?.createdAt === entry.createdAt
        }
        await eventually(
          works,
          'what is written is read when the fault is over',
          fault.recoveryMs ?? RECOVERY_MS,
        )
      },
    },
  ]
}

function isApplied(ending: Ending<{ readonly status?: string } | undefined> | undefined): boolean {
  return ending !== undefined && 'value' in ending && ending.value?.status === 'applied'
}

/** Fails if a call takes too long. */
async function bounded<T>(boundMs: number, call: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), boundMs)
  })
  const pending = call()
  const ended = await Promise.race([pending.then(() => true), late])
  clearTimeout(timer)
  check(ended, `a call during the fault has not ended after ${boundMs} ms`)
  return pending
}
