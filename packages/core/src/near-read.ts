import type { Entry } from './entry.ts'
import type { Policy } from './policy.ts'
import { type ReadThrough, refreshIfDue } from './read-through.ts'
import type { View } from './view.ts'

/**
 * What is at hand and fresh, counted as a hit. Only what comes back without it needs its key validated, for nothing is stored
 * under one that is not valid: that alone takes as long as finding a value. But for the empty key: a prefix alone is a key of the
 * cache around the namespace.
 *
 * @param loader called behind the hit if that is due
 */
export function readFresh(
  { engine, prefix }: View,
  key: string,
  policy: Policy,
  loader?: ReadThrough['loader'],
): Entry | undefined {
  if (engine.near === undefined || policy.schema !== undefined) return undefined
  if (typeof key !== 'string' || key === '') return undefined
  engine.life.assertOpen()
  const address = prefix === '' ? key : prefix + key
  const entry = engine.readFresh(address)
  if (entry === undefined) return undefined
  // First, for a listener may remove it.
  if (loader && policy.early) refreshIfDue(engine, { address, key, loader, policy }, entry)
  engine.hit(address)
  return entry
}
