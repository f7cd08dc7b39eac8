import type { Awaitable, Entry, Store, WriteOutcome } from '@cache/core'
import { APPLIED } from '@cache/core'
import { describe, expect, test } from 'vitest'
import {
  type BusSubject,
  busCases,
  CAPABILITIES,
  type Case,
  ConformanceError,
  codecCases,
  docsOf,
  type Fault,
  RULES,
  type RuleName,
  type StoreSubject,
  storeCases,
} from '../src/index.ts'
import { testBus, testStore } from '../src/vitest.ts'
import { Place, ReferenceBus, ReferenceStore } from './reference-store.ts'

/** One place for each space. */
function placesBySpace(): (space: string) => Place {
  const places = new Map<string, Place>()
  return space => {
    const place = places.get(space) ?? new Place()
    places.set(space, place)
    return place
  }
}

/** The reference store, made worse. */
function subject(worsen: (store: ReferenceStore) => Awaitable<Store> = store => store): StoreSubject {
  const placeOf = placesBySpace()
  const fault = (mode: Place['mode']): Fault => ({
    name: `calls ${mode}`,
    begin: ({ space }) => {
      placeOf(space).mode = mode
    },
    end: ({ space }) => {
      placeOf(space).mode = 'serve'
    },
    boundMs: 50,
    recoveryMs: 100,
  })
  return {
    open: ({ space, clock }) => worsen(new ReferenceStore(placeOf(space), clock)),
    clock: 'manual',
    shared: true,
    faults: [fault('refuse')],
    limitMs: 3_000,
  }
}

/** What fails; cases have nothing in common, and some wait in vain. */
async function failuresOf(
  cases: readonly Case[],
): Promise<{ group: string; name: string; error: ConformanceError }[]> {
  const failures = cases.map(async ({ group, name, run }) => {
    const error = await run().then(
      () => undefined,
      (error: ConformanceError) => error,
    )
    return error ? [{ group, name, error }] : []
  })
  return (await Promise.all(failures)).flat()
}

testStore('the reference store', { ...subject(), capabilities: CAPABILITIES })

/** A store of which one method does something else. */
function changed<M extends keyof ReferenceStore>(
  method: M,
  make: (store: ReferenceStore, original: ReferenceStore[M]) => unknown,
): StoreSubject {
  return subject(store => {
    const original = (store[method] as () => unknown).bind?.(store) as ReferenceStore[M]
    return Object.defineProperty(store, method, {
      value: make(store, original ?? store[method]),
      configurable: true,
    })
  })
}

const swallow = (): Promise<WriteOutcome> => Promise.resolve(APPLIED)
const later = <T>(call: () => Promise<T>): Promise<T> =>
  new Promise(resolve => setTimeout(() => resolve(call()), 2))

const BROKEN: readonly [group: string, how: string, rule: RuleName, subject: StoreSubject][] = [
  [
    'contract',
    'throws for a missing key',
    'missing',
    changed('get', (_, get) => async (key: string) => {
      const found = await get(key)
      if (!found) throw new Error('not found')
      return found
    }),
  ],
  [
    'contract',
    'gives the value alone',
    'whole',
    changed('look', (_, look) => (key: string) => {
      const entry = look(key)
      return (
        entry && {
          value: entry.value,
          createdAt: entry.createdAt,
          freshUntil: entry.freshUntil,
          expiresAt: entry.expiresAt,
        }
      )
    }),
  ],
  ['contract', 'does not delete', 'delete', changed('remove', () => () => {})],
  [
    'contract',
    'keeps what is there already',
    'replace',
    changed('put', (store, put) => (key: string, entry: never) => {
      if (!store.place.entries.has(key)) put(key, entry)
    }),
  ],
  [
    'contract',
    'gives no outcome',
    'outcome',
    changed('write', (_, write) => async (keys: string[], effect: () => void) => {
      await write(keys, effect)
    }),
  ],
  [
    'contract',
    'clears by a pattern',
    'clear',
    changed('clear', store => async (scope = '') => {
      const pattern = new RegExp(
        `^${scope
          .replaceAll(/[[\]\\^$.*+?()|{}]/g, '\\$&')
          .replaceAll('%', '.*')
          .replaceAll('_', '.')}`,
      )
      for (const key of store.place.entries.keys()) if (pattern.test(key)) store.remove(key)
      return APPLIED
    }),
  ],
  [
    'contract',
    'clears everything whatever the scope',
    'clear',
    changed('clear', (_, clear) => () => clear()),
  ],
  [
    'contract',
    'shares nothing though it said so',
    'space',
    { ...subject(), open: ({ clock }) => new ReferenceStore(new Place(), clock) },
  ],
  [
    'ttl',
    'never expires',
    'expiry',
    changed('look', store => (key: string) => store.place.entries.get(key)?.entry),
  ],
  [
    'ttl',
    'expires at freshUntil',
    'stale',
    changed('look', (store, look) => (key: string) => {
      const entry = look(key)
      return entry && entry.freshUntil > store.clock.now() ? entry : undefined
    }),
  ],
  [
    'ttl',
    'leaves the elder of what has expired',
    'written-expired',
    changed('put', (store, put) => (key: string, entry: { expiresAt: number }) => {
      if (entry.expiresAt > store.clock.now()) put(key, entry as never)
    }),
  ],
  [
    'ttl',
    'counts in 32 bits',
    'long-life',
    changed('put', (store, put) => (key: string, entry: { expiresAt: number; createdAt: number }) => {
      const life = (entry.expiresAt - entry.createdAt) | 0
      put(key, { ...entry, expiresAt: store.clock.now() + life } as never)
    }),
  ],
  [
    'values',
    'takes what is falsy for nothing',
    'falsy',
    changed('look', (_, look) => (key: string) => {
      const entry = look(key)
      return entry?.value ? entry : undefined
    }),
  ],
  [
    'values',
    'cuts text at NUL',
    'values',
    changed('put', (_, put) => (key: string, entry: { value: unknown }) => {
      const cut = (_name: string, part: unknown) => (typeof part === 'string' ? part.split('\0')[0] : part)
      put(key, { ...entry, value: JSON.parse(JSON.stringify(entry.value), cut) } as never)
    }),
  ],
  [
    'values',
    'quotes what it refuses',
    'refusal',
    changed('check', () => (_key: string, { value }: { value: unknown }) => {
      if (typeof value === 'object' && JSON.stringify(Object.keys(value ?? {})).includes('hunter2'))
        throw Object.assign(new Error(JSON.stringify(Object.keys(value ?? {}))), { code: 'SERIALIZATION' })
    }),
  ],
  [
    'values',
    'drops the elder of what it refuses',
    'refusal',
    changed('check', (store, check) => (key: string, entry: never) => {
      try {
        check(key, entry)
      } catch (refused) {
        store.remove(key)
        throw refused
      }
    }),
  ],
  ['keys', 'does not tell upper from lower case', 'keys', caseless()],
  [
    'concurrency',
    'delays its writes by their size',
    'order',
    changed(
      'set',
      (_, set) => (key: string, entry: { value: unknown }) =>
        JSON.stringify(entry.value ?? null).length % 2
          ? later(() => set(key, entry as never))
          : set(key, entry as never),
    ),
  ],
  [
    'concurrency',
    'writes value and times one after the other',
    'no-mixture',
    changed('put', (store, put) => (key: string, entry: never) => {
      const { value } = store.place.entries.get(key)?.entry ?? { value: undefined }
      if (value !== undefined) put(key, { ...(entry as object), value } as never)
      if (value === undefined) put(key, entry)
      else setTimeout(() => put(key, entry), 1)
    }),
  ],
  [
    'cleanup',
    'never ends when closed twice',
    'close',
    changed('close', (_, close) => {
      let closed = 0
      return () => (closed++ > 0 ? new Promise(() => {}) : close())
    }),
  ],
  [
    'cleanup',
    'leaves a timer behind',
    'close-all',
    changed('close', () => () => {
      const timer = setInterval(() => {}, 1_000)
      setTimeout(() => clearInterval(timer), 6_000).unref()
    }),
  ],
  [
    'batching',
    'finds no more than a hundred',
    'batch',
    changed('getMany', (_, getMany) => (keys: string[]) => getMany(keys.slice(0, 100))),
  ],
  [
    'batching',
    'keeps silent about what it could not keep',
    'batch-account',
    changed('setMany', (_, setMany) => async (entries: never) => {
      await setMany(entries)
      return APPLIED
    }),
  ],
  [
    'checking',
    'refuses nothing beforehand',
    'check',
    changed('check', (_, check) => {
      let calls = 0
      return (key: string, entry: never) => {
        if (calls++ % 2 === 1) check(key, entry)
      }
    }),
  ],
  [
    'coherent',
    'does not announce',
    'coherent',
    changed('write', () => async (_keys: string[], effect: () => void) => {
      effect()
      return APPLIED
    }),
  ],
  [
    'enumerable',
    'lists everything whatever the scope',
    'enumerate',
    changed('keys', (_, keys) => () => keys()),
  ],
  ['health', 'is never available', 'health', changed('health', () => () => ({ available: false }))],
  [
    'leasing',
    'grants a lease to everybody',
    'lease',
    changed('getOrLease', (store, ask) => (key: string, ms: number) => {
      store.place.leases.delete(key)
      return ask(key, ms)
    }),
  ],
  [
    'leasing',
    'stores whatever was loaded',
    'lease-lost',
    changed('fill', store => (key: string, entry: never) => store.set(key, entry)),
  ],
  [
    'leasing',
    'hides what is stale while it is refreshed',
    'lease-stale',
    changed('getOrLease', (_, ask) => async (key: string, ms: number) => {
      const { stale, ...read } = (await ask(key, ms)) as { stale?: unknown }
      void stale
      return read
    }),
  ],
  ['marking', 'gives the same mark again', 'mark', changed('mark', () => async () => 7)],
  ['measurable', 'counts nothing', 'measure', changed('measure', () => () => [{ tier: 'x', items: 1 }])],
  [
    'observed',
    'goes on observing',
    'observe',
    changed('observe', (_, observe) => (observer: never) => {
      observe(observer)
      return () => {}
    }),
  ],
  [
    'replacing',
    'replaces whatever is there',
    'replace-if',
    changed('replace', store => (key: string, entry: never) => store.set(key, entry)),
  ],
  ['tagging', 'invalidates nothing', 'tags', changed('invalidateTags', () => swallow)],
  [
    'tagging',
    'does not hold against what is loaded meanwhile',
    'tags',
    changed('fill', (_, fill) => (key: string, entry: object, lease: never) => {
      const { stamp, ...rest } = entry as { stamp?: number }
      void stamp
      return fill(key, rest as never, lease)
    }),
  ],
  [
    'near',
    'answers later',
    'near',
    changed(
      'getFresh',
      (_, getFresh) => (key: string, freshAt: number) => Promise.resolve(getFresh(key, freshAt)),
    ),
  ],
  [
    'near',
    'keeps what was deleted',
    'near',
    changed('getFresh', (_, getFresh) => {
      const seen = new Map<string, Entry>()
      return (key: string, freshAt: number) => {
        const found = getFresh(key, freshAt) ?? seen.get(key)
        if (found) seen.set(key, found)
        return found
      }
    }),
  ],
  [
    'near',
    'gives what is stale',
    'near-fresh',
    changed('getFresh', store => (key: string) => store.look(key)),
  ],
  ['touching', 'changes nothing', 'touch', changed('touch', () => swallow)],
  [
    'touching',
    'sets the times to what it is told',
    'touch-never-creates',
    changed('touch', store => async (key: string, freshUntil: number, expiresAt: number) => {
      const entry = store.look(key)
      if (entry) store.put(key, { ...entry, freshUntil, expiresAt })
      return APPLIED
    }),
  ],
  [
    'faults: calls refuse',
    'takes a failure for a miss',
    'fault-read',
    changed('get', (_, get) => (key: string) => get(key).catch(() => undefined)),
  ],
  [
    'faults: calls refuse',
    'finds nothing in a batch that failed',
    'fault-read',
    changed('getMany', (_, getMany) => (keys: never) => getMany(keys).catch(() => ({ found: new Map() }))),
  ],
  [
    'faults: calls refuse',
    'says applied for what it did not do',
    'fault-write',
    changed('write', (_, write) => (keys: never, effect: never) => write(keys, effect).catch(() => APPLIED)),
  ],
  [
    'faults: calls refuse',
    'hangs',
    'fault-bounded',
    changed(
      'reach',
      (store, reach) => () => (store.place.mode === 'refuse' ? new Promise(() => {}) : reach()),
    ),
  ],
  [
    'faults: calls refuse',
    'does not come back',
    'fault-recovery',
    changed('reach', (_, reach) => {
      let broken = false
      return async () => {
        if (broken) throw new Error('still broken')
        await reach().catch(error => {
          broken = true
          throw error
        })
      }
    }),
  ],
]

/** Keys in lower case, as some databases compare them. */
function caseless(): StoreSubject {
  return subject(store => {
    const {
      get,
      set,
      delete: remove,
    } = { get: store.get.bind(store), set: store.set.bind(store), delete: store.delete.bind(store) }
    return Object.assign(store, {
      get: (key: string) => get(key.toLowerCase()),
      set: (key: string, entry: never) => set(key.toLowerCase(), entry),
      delete: (key: string) => remove(key.toLowerCase()),
    })
  })
}

// Most of them by waiting in vain: side by side.
describe.concurrent('a store that breaks the contract is caught', () => {
  test.each(BROKEN)('%s: one that %s', async (group, _how, rule, subject) => {
    const failures = await failuresOf(
      storeCases(subject).filter(each => each.group === group && each.rule === rule),
    )
    expect(failures).not.toEqual([])
    for (const { error } of failures) {
      expect(error).toBeInstanceOf(ConformanceError)
      expect(error.message).toContain(RULES[rule])
      expect(error.message).toContain(docsOf(rule))
    }
  })

  test('every rule for stores has a store that breaks it', () => {
    const rules = storeCases({ ...subject(), capabilities: [], faults: subject().faults ?? [] }).map(
      ({ rule }) => rule,
    )
    const all = new Set([...rules, ...storeCases(subject()).map(({ rule }) => rule)])
    const broken = new Set<RuleName>([...BROKEN.map(([, , rule]) => rule), 'capability'])
    expect([...all].filter(rule => !broken.has(rule))).toEqual([])
  })

  test('capabilities that were not said, and those that are missing', async () => {
    const some = { ...subject(), capabilities: CAPABILITIES.slice(1) }
    const [first] = await failuresOf(storeCases(some))
    expect(first?.error.message).toContain('offers batching, which was not said')
    const missing = changed('touch', () => undefined)
    const [second] = await failuresOf(storeCases({ ...missing, capabilities: CAPABILITIES }))
    expect(second?.error.message).toContain('was said to offer touching, but lacks it')
  })

  test('a store that does not settle is told, not waited for', async () => {
    const hanging = { ...changed('get', () => () => new Promise(() => {})), limitMs: 20 }
    const [first] = storeCases(hanging)
    await expect(first?.run()).rejects.toThrow(/a call does not settle/)
  })
})

describe('what does not apply is skipped, with the reason', () => {
  const bare = subject(store => ({
    name: 'bare',
    get: key => store.get(key),
    set: (key, entry) => store.set(key, entry),
    delete: key => store.delete(key),
    clear: scope => store.clear(scope),
    close: () => store.close(),
  }))

  test('capabilities that the store lacks', async () => {
    for (const { group, run } of storeCases(bare)) {
      if ((CAPABILITIES as readonly string[]).includes(group))
        expect(await run()).toBe(`the store does not offer ${group}`)
    }
  })

  test('unless they are said: then there are no cases of others', () => {
    const groups = new Set(storeCases({ ...bare, capabilities: ['tagging'] }).map(({ group }) => group))
    expect([...groups].filter(group => (CAPABILITIES as readonly string[]).includes(group))).toEqual([
      'tagging',
    ])
  })
})

const busSubject = (worsen: (bus: ReferenceBus) => ReferenceBus = bus => bus): BusSubject => {
  const placeOf = placesBySpace()
  const each = (space: string, act: (bus: ReferenceBus) => void): void => {
    for (const bus of placeOf(space).buses) act(bus)
  }
  return {
    open: space => worsen(new ReferenceBus(placeOf(space))),
    breaks: { begin: space => each(space, bus => bus.break()), end: space => each(space, bus => bus.mend()) },
    limitMs: 8_000,
  }
}

testBus('the reference bus', busSubject())

describe.concurrent('a bus that breaks the contract is caught', () => {
  const change = (changes: (bus: ReferenceBus) => object): BusSubject =>
    busSubject(bus => Object.assign(bus, changes(bus)))
  const BROKEN: readonly [how: string, rule: RuleName, subject: BusSubject][] = [
    ['publishes nothing', 'bus-delivery', change(() => ({ publish: swallow }))],
    [
      'forgets the scope',
      'bus-content',
      change(bus => {
        const publish = bus.publish.bind(bus)
        return {
          publish: (message: { type: string }) =>
            publish(message.type === 'clear' ? { type: 'clear' } : (message as never)),
        }
      }),
    ],
    [
      'delivers in any order',
      'bus-order',
      change(bus => {
        const publish = bus.publish.bind(bus)
        let n = 0
        return {
          publish: (message: never) => (n++ % 2 ? later(async () => publish(message)) : publish(message)),
        }
      }),
    ],
    ['has the id of all', 'bus-id', change(() => ({ id: 'bus' }))],
    [
      'does not unsubscribe',
      'bus-unsubscribe',
      change(bus => {
        const subscribe = bus.subscribe.bind(bus)
        return {
          subscribe: (listener: never) => {
            subscribe(listener)
            return () => {}
          },
        }
      }),
    ],
    ['tells no gap', 'bus-gap', change(() => ({ tellGap: () => {} }))],
    ['stays connected when closed', 'bus-close', change(() => ({ close: () => {} }))],
  ]

  test.each(BROKEN)('one that %s', async (_how, rule, subject) => {
    const failures = await failuresOf(busCases(subject).filter(each => each.rule === rule))
    expect(failures.map(({ error }) => error.rule)).toContain(rule)
  })

  test('and there is one for every rule', () => {
    const rules = new Set(busCases(busSubject()).map(({ rule }) => rule))
    expect([...rules].sort()).toEqual(BROKEN.map(([, rule]) => rule).sort())
  })
})

describe('a codec that breaks the contract is caught', () => {
  const encode = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
  const decode = (bytes: Buffer): unknown => JSON.parse(bytes.toString())
  test.each([
    ['drops nulls', 'codec-round-trip', encode, (bytes: Buffer) => decode(bytes) ?? undefined],
    ['hands out one value', 'codec-fresh', encode, memoized(decode)],
    ['throws what it likes', 'codec-refusal', encode, decode],
    ['quotes foreign bytes', 'codec-hostile', encode, decode],
  ] as const)('one that %s', async (_how, rule, encode, decode) => {
    const failures = await failuresOf(codecCases({ encode, decode }).filter(each => each.rule === rule))
    expect(failures).not.toEqual([])
  })
})

function memoized(decode: (bytes: Buffer) => unknown): (bytes: Buffer) => unknown {
  const known = new Map<string, unknown>()
  return bytes => {
    const text = bytes.toString()
    if (!known.has(text)) known.set(text, decode(bytes))
    return known.get(text)
  }
}
