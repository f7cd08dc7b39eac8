import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import type { WriteOutcome, WriteStatus } from './outcome.ts'
import type { Store } from './store.ts'

/** What is published on the channels of an operation: one object from its beginning to its end. Neither keys nor values. */
export interface TraceMessage {
  /** The method that was called, or `load`. */
  readonly operation: string
  /** The name of the cache. */
  readonly cache: string
  /** What its keys begin with, `users:`; empty without a namespace. */
  readonly namespace: string
  /** The name of the store: `memory`, `redis`, `tiered`. */
  readonly store: string
  /** How many keys it is for; 0 if that is not said. */
  readonly keys: number
  /** At the end of a read of one key without a loader: whether there was something. */
  hit?: boolean
  /** At the end of a read of many: how many of the keys have a value. */
  found?: number
  /** At the end of a write: what became of it. */
  status?: WriteStatus
  /** What it rejected with. */
  error?: unknown
}

/** What a message says of the end. */
type Ending = Pick<TraceMessage, 'hit' | 'found' | 'status'>

type Channel = TracingChannel<unknown, TraceMessage>

/** For each kind of operation, named `cache:get` and so on. */
type Operation =
  | 'get'
  | 'getMany'
  | 'getOrSet'
  | 'getOrSetMany'
  | 'load'
  | 'set'
  | 'setMany'
  | 'delete'
  | 'deleteMany'
  | 'clear'
  | 'invalidateTags'

/* @__NO_SIDE_EFFECTS__ */
const channel = (name: Operation): Channel => tracingChannel(`cache:${name}`)

/** What whoever follows a process can subscribe to; `hasSubscribers` is all that it costs as long as nobody does. */
export const CHANNELS: Readonly<Record<Operation, Channel>> = {
  get: channel('get'),
  getMany: channel('getMany'),
  getOrSet: channel('getOrSet'),
  getOrSetMany: channel('getOrSetMany'),
  load: channel('load'),
  set: channel('set'),
  setMany: channel('setMany'),
  delete: channel('delete'),
  deleteMany: channel('deleteMany'),
  clear: channel('clear'),
  invalidateTags: channel('invalidateTags'),
}

/** Runs a write, told on its channel if anyone follows that. @param keys how many, if that is said */
export function tracedWrite(
  place: Place,
  operation: Operation,
  keys: number,
  run: () => Promise<WriteOutcome>,
): Promise<WriteOutcome> {
  const channel = CHANNELS[operation]
  if (!channel.hasSubscribers) return run()
  return traced(channel, messageOf(place, operation, keys), run, ({ status }) => ({ status }))
}

/**
 * Runs an operation and tells its beginning and end, as `tracePromise` of Node does, but never its result.
 *
 * @param endingOf what to say of a result
 */
export async function traced<T>(
  channel: Channel,
  message: TraceMessage,
  run: () => T | Promise<T>,
  endingOf?: (result: T) => Ending,
): Promise<T> {
  const { asyncStart, asyncEnd, error } = channel
  try {
    const result = await begin(channel, message, run)
    if (endingOf) Object.assign(message, endingOf(result))
    return result
  } catch (thrown) {
    message.error = thrown
    error.publish(message)
    throw thrown
  } finally {
    asyncStart.publish(message)
    asyncEnd.publish(message)
  }
}

/** What runs here finds what subscribers have bound to the channel, as the span it belongs to. */
function begin<T>({ start, end }: Channel, message: TraceMessage, run: () => T): T {
  try {
    return start.runStores(message, run)
  } finally {
    end.publish(message)
  }
}

/** Where an operation takes place. */
interface Place {
  readonly engine: { readonly name: string; readonly store: Pick<Store, 'name'> }
  readonly prefix: string
}

export function messageOf({ engine, prefix }: Place, operation: string, keys: number): TraceMessage {
  return { operation, cache: engine.name, namespace: prefix, store: engine.store.name, keys }
}

export const hitOf = (found: unknown): Ending => ({ hit: found !== undefined })
export const foundOf = (found: ReadonlyMap<string, unknown>): Ending => ({ found: found.size })
