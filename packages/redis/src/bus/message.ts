import type { Invalidation, InvalidationMessage } from '@cache/core'

const VERSION = 1

/** The channel on which everything written under `prefix` is announced. */
export function channelOf(prefix: string): string {
  return `${prefix}invalidate`
}

export function encodeMessage(source: string, invalidation: Invalidation): string {
  return JSON.stringify({ v: VERSION, source, ...invalidation })
}

/** @returns `undefined` for what is not a message of ours, or of a version not known here */
export function decodeMessage(bytes: Buffer): InvalidationMessage | undefined {
  const message = parse(bytes)
  if (message?.v !== VERSION) return undefined
  const { source, type, keys, scope } = message
  if (typeof source !== 'string') return undefined
  if (type === 'keys') {
    return Array.isArray(keys) && keys.every(isString) ? { type, keys, source } : undefined
  }
  if (type !== 'clear') return undefined
  if (scope === undefined) return { type, source }
  return isString(scope) ? { type, scope, source } : undefined
}

function parse(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
