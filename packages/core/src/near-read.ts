import type { Entry } from './entry.ts'
import type { View } from './view.ts'

/**
 * What is at hand and fresh, counted as a hit. Only what comes back without it needs its key validated, for nothing is stored
 * under one that is not valid: that alone takes as long as finding a value.
 */
export function readFresh({ engine, prefix, policy }: View, key: string): Entry | undefined {
  if (engine.near === undefined || policy.schema !== undefined || typeof key !== 'string') return undefined
  engine.life.assertOpen()
  const address = prefix === '' ? key : prefix + key
  const entry = engine.readFresh(address)
  if (entry !== undefined) engine.hit(address)
  return entry
}
