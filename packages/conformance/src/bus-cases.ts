import { randomUUID } from 'node:crypto'
import type { Awaitable, Gap, Invalidation, InvalidationBus, InvalidationMessage } from '@cache/core'
import { type Case, NothingToTry, runCase } from './case.ts'
import { check, equal, eventually } from './expect.ts'
import { leavingNothing } from './leftovers.ts'
import type { RuleName } from './rules.ts'

/** A bus to test. */
export interface BusSubject {
  /** Makes a bus, on a channel of which `space` is the name: letters, digits and hyphens. Each case closes what it opened. */
  open(space: string): Awaitable<InvalidationBus>
  /** Whether the messages of a bus come back to itself. @default true */
  readonly echoes?: boolean
  /** How the stream can break. Without it the cases of gaps are skipped. */
  readonly breaks?: BusBreak
  /** How long a case may take, in milliseconds. @default 30,000 */
  readonly limitMs?: number
}

/** How the stream of messages can break. */
export interface BusBreak {
  /** Breaks it, for all buses. */
  begin(space: string): Awaitable<void>
  /** Puts it right. */
  end(space: string): Awaitable<void>
}

/** Invalidations that are easily changed on the way. */
const INVALIDATIONS: readonly Invalidation[] = [
  { type: 'keys', keys: ['a'] },
  { type: 'keys', keys: ['__proto__', 'ü', '🦄', 'a\r\nb', '\u0000', '"', 'k'.repeat(10_000)] },
  { type: 'keys', keys: Array.from({ length: 1_000 }, (_, i) => `k${i}`) },
  { type: 'tags', tags: ['t', 'ü:1'] },
  { type: 'clear', scope: 'users:' },
  { type: 'clear', scope: '*' },
  { type: 'clear' },
]

/** Every case that an invalidation bus has to pass. */
export function busCases(subject: BusSubject): readonly Case[] {
  const { echoes = true, breaks } = subject
  const specs: readonly [RuleName, string, string, (scene: BusScene) => Promise<void>][] = [
    [
      'bus-delivery',
      'delivery',
      'a message reaches every listener of every bus, with its source',
      async scene => {
        const [a, b] = [await scene.listen(), await scene.listen()]
        const second: InvalidationMessage[] = []
        b.bus.subscribe(message => second.push(message))
        await publish(a.bus, { type: 'keys', keys: ['k'] })
        const expected = [{ type: 'keys', keys: ['k'], source: a.bus.id }]
        await eventually(
          () => b.messages.length > 0 && second.length > 0,
          'the message arrives at both listeners',
        )
        equal(b.messages.map(plain), expected, 'what the first listener heard')
        equal(second.map(plain), expected, 'what the second listener heard')
        if (!echoes) return
        await eventually(() => a.messages.length > 0, 'the message comes back to its own bus')
        equal(a.messages.map(plain), expected, 'what the own listener heard')
      },
    ],
    [
      'bus-content',
      'delivery',
      'an invalidation arrives as it was published',
      async scene => {
        const [a, b] = [await scene.listen(), await scene.listen()]
        for (const invalidation of INVALIDATIONS) await publish(a.bus, invalidation)
        await eventually(
          () => keysOf(b.messages).length >= keysOf(INVALIDATIONS).length,
          'all messages arrive',
        )
        equal(keysOf(b.messages), keysOf(INVALIDATIONS), 'what arrived')
      },
    ],
    [
      'bus-order',
      'delivery',
      'messages keep their order',
      async scene => {
        const [a, b] = [await scene.listen(), await scene.listen()]
        const sent = Array.from({ length: 200 }, (_, i) => `k${i}`)
        await Promise.all(sent.map(key => publish(a.bus, { type: 'keys', keys: [key] })))
        await eventually(() => keysOf(b.messages).length >= sent.length, 'all messages arrive')
        equal(keysOf(b.messages), sent, 'the order of the keys')
      },
    ],
    [
      'bus-id',
      'delivery',
      'no two buses have the same id',
      async scene => {
        const buses = [await scene.open(), await scene.open(), await scene.open()]
        for (const { id } of buses) check(typeof id === 'string' && id !== '', 'the id must be a string')
        equal(new Set(buses.map(({ id }) => id)).size, buses.length, 'the number of ids of three buses')
      },
    ],
    [
      'bus-unsubscribe',
      'delivery',
      'a subscription that was ended hears nothing more',
      async scene => {
        const [a, b] = [await scene.listen(), await scene.listen()]
        const heard: InvalidationMessage[] = []
        const stop = b.bus.subscribe(message => heard.push(message))
        check(typeof stop === 'function', 'subscribe must return a function')
        check(typeof b.bus.onGap(() => {}) === 'function', 'onGap must return a function')
        stop()
        stop()
        await publish(a.bus, { type: 'keys', keys: ['k'] })
        await eventually(() => b.messages.length > 0, 'the message arrives at the listener that stays')
        equal(heard.length, 0, 'the number of messages after the end of the subscription')
      },
    ],
    [
      'bus-gap',
      'gaps',
      'a stream that breaks and comes back is told as two gaps, before any message that follows',
      async scene => {
        if (!breaks) throw new NothingToTry('nothing was said of how the stream can break')
        const [a, b] = [await scene.listen(), await scene.listen()]
        const told: (string | boolean)[] = []
        const atGap: boolean[] = []
        b.bus.onGap(gap => {
          told.push(gap.connected)
          atGap.push(b.bus.connected)
          check(typeof gap.reason === 'string' && gap.reason !== '', 'a gap must have a reason')
        })
        b.bus.subscribe(message => told.push(message.type))
        await breaks.begin(scene.space)
        try {
          await eventually(() => told.includes(false), 'the listener is told that the stream broke')
          check(!b.bus.connected, 'a bus whose stream is broken must not be connected')
        } finally {
          await breaks.end(scene.space)
        }
        await eventually(() => told.at(-1) === true, 'the listener is told that the stream is back', 15_000)
        await eventually(() => a.bus.connected && b.bus.connected, 'both buses are connected again', 15_000)
        await eventually(async () => {
          await publish(a.bus, { type: 'clear' }).catch(() => {})
          return told.at(-1) === 'clear'
        }, 'messages arrive again')
        const back = told.indexOf(true)
        check(
          told.indexOf(false) < back && !told.slice(0, back).includes('clear'),
          'the gap must be told before the messages that follow',
        )
        check(
          atGap.every(connected => !connected),
          'connected turns false before the first gap, and true after the second one',
        )
      },
    ],
    [
      'bus-close',
      'cleanup',
      'a bus may be closed twice, and leaves nothing behind',
      async scene => {
        const bus = await scene.open()
        await leavingNothing(async () => {
          const { bus } = await scene.listen()
          await bus.close()
          await bus.close()
        })
        await bus.close()
        check(!bus.connected, 'a closed bus must not be connected')
      },
    ],
  ]
  return specs.map(([rule, group, name, body]) => ({
    group,
    name,
    rule,
    run: () =>
      runCase(rule, subject.limitMs ?? 30_000, async () => {
        const scene = new BusScene(subject)
        try {
          await body(scene)
        } finally {
          await scene.close()
        }
      }),
  }))
}

interface Heard {
  readonly bus: InvalidationBus
  readonly messages: InvalidationMessage[]
  readonly gaps: Gap[]
}

/** The buses of a case, on one channel. */
class BusScene {
  readonly space: string = `conformance-${randomUUID()}`
  readonly #subject: BusSubject
  readonly #opened: InvalidationBus[] = []

  constructor(subject: BusSubject) {
    this.#subject = subject
  }

  async open(): Promise<InvalidationBus> {
    const bus = await this.#subject.open(this.space)
    this.#opened.push(bus)
    return bus
  }

  /** A bus that is connected, and what it hears from now on. */
  async listen(): Promise<Heard> {
    const bus = await this.open()
    const heard: Heard = { bus, messages: [], gaps: [] }
    bus.onGap(gap => heard.gaps.push(gap))
    bus.subscribe(message => heard.messages.push(message))
    await eventually(() => bus.connected, 'the bus is connected', 10_000)
    return heard
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.map(async bus => bus.close()))
  }
}

async function publish(bus: InvalidationBus, invalidation: Invalidation): Promise<void> {
  const outcome = await bus.publish(invalidation)
  check(
    outcome?.status === 'applied',
    `publish must be applied, but it is ${outcome?.status}: ${outcome?.error?.message}`,
  )
}

/** A message without what a bus adds for itself. */
function plain(message: InvalidationMessage): InvalidationMessage {
  const { source } = message
  if (message.type === 'keys') return { type: 'keys', keys: [...message.keys], source }
  if (message.type === 'tags') return { type: 'tags', tags: [...message.tags], source }
  return message.scope === undefined
    ? { type: 'clear', source }
    : { type: 'clear', scope: message.scope, source }
}

/** What invalidations are about, one after another: a bus may cut a long one in pieces. */
function keysOf(invalidations: readonly Invalidation[]): string[] {
  return invalidations.flatMap(invalidation => {
    if (invalidation.type === 'keys') return [...invalidation.keys]
    if (invalidation.type === 'tags') return invalidation.tags.map(tag => `tag ${tag}`)
    return [`clear ${invalidation.scope ?? 'everything'}`]
  })
}
