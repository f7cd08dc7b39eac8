import { ours } from './ours.ts'
import { peers } from './peers.ts'
import type { Contestant } from './subject.ts'

export const CONTESTANTS: readonly Contestant[] = [...ours, ...peers]

/** @throws Error for a name that is none of theirs */
export function contestant(name: string): Contestant {
  const found = CONTESTANTS.find(one => one.name === name)
  if (found === undefined) throw new Error(`unknown contestant ${name}`)
  return found
}
