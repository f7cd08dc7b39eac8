import type { Invalidation, InvalidationMessage } from '@cache/core'
import { isVersion } from '../version.ts'

/** A message as it arrives: what outdates tags or a scope has its version, see `ServerOrder`. */
export type VersionedMessage = InvalidationMessage & {
  readonly version?: number
  /** When it was sent, by the sender's clock: epoch milliseconds. */
  readonly at?: number
}

const VERSION = 1

/** The channel on which everything written under `prefix` is announced. */
export function channelOf(prefix: string): string {
  return `${prefix}invalidate`
}

/** @param at when it is sent, in epoch milliseconds; behind the rest, see {@link openingOf} */
export function encodeMessage(source: string, invalidation: Invalidation, at?: number): string {
  return JSON.stringify({ v: VERSION, source, ...invalidation, at })
}

/** What a message of a source, about keys, begins with; a JSON of ours has no spaces, and its properties in this order. */
export function openingOf(source: string): string {
  const whole = encodeMessage(source, { type: 'keys', keys: [] })
  return whole.slice(0, whole.indexOf('['))
}

/** A message about one key: the most frequent by far. @param opening as {@link openingOf} gives it  @param at as of {@link encodeMessage} */
export function encodeKey(opening: string, key: string, at: number): string {
  return `${opening}[${JSON.stringify(key)}],"at":${at}}`
}

/**
 * A message of our own that comes back to us. Nearly always all that is asked of it is whose it is: its keys are read
 * when they are asked for, as reading all those of a large batch takes a good part of what it takes to write them.
 */
export function echoed(source: string, bytes: Buffer): VersionedMessage {
  return {
    type: 'keys',
    source,
    /** None of a message that only pretends to be ours, and cannot be read. */
    get keys() {
      const message = decodeMessage(bytes)
      return message?.type === 'keys' ? message.keys : []
    },
  }
}

/** @returns `undefined` for what is not a message of ours, or of a version not known here */
export function decodeMessage(bytes: Buffer): VersionedMessage | undefined {
  const message = parse(bytes)
  if (message?.v !== VERSION) return undefined
  const { source: id, type, keys, tags, scope, version, at } = message
  if (!isString(id)) return undefined
  const source = { source: id, ...(Number.isFinite(at) && { at: at as number }) }
  if (type === 'keys') return areStrings(keys) ? { type, keys, ...source } : undefined
  if (version !== undefined && !isVersion(version)) return undefined
  const versioned = { ...source, ...(version !== undefined && { version }) }
  if (type === 'tags') return areStrings(tags) ? { type, tags, ...versioned } : undefined
  if (type !== 'clear') return undefined
  if (scope === undefined) return { type, ...versioned }
  return isString(scope) ? { type, scope, ...versioned } : undefined
}

function parse(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

function areStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
