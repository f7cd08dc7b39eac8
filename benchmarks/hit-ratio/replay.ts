import { BoundedMap, type PolicyName } from '@cache/memory'
import type { Trace } from './trace.ts'

/** The miss ratio of one policy with room for one number of entries. */
interface Cell {
  readonly policy: PolicyName
  readonly size: number
  readonly miss: number
}

/** What a trace came to under every policy at every size. */
export interface Result {
  readonly trace: Trace
  readonly sizes: readonly number[]
  readonly cells: readonly Cell[]
}

/** Reads every key through a cache as a service would: get; set on a miss. */
export function missRatio({ references }: Trace, size: number, policy: PolicyName): number {
  const cache = new BoundedMap<number, true>({ maxItems: size, policy })
  let misses = 0
  for (const key of references) {
    if (cache.get(key) !== undefined) continue
    misses++
    cache.set(key, true)
  }
  return misses / references.length
}

/** @param onCell told before each replay, of which there may be many */
export function replay(
  trace: Trace,
  sizes: readonly number[],
  policies: readonly PolicyName[],
  onCell: (text: string) => void = () => {},
): Result {
  const cells = sizes.flatMap(size =>
    policies.map(policy => {
      onCell(`${trace.name}: ${policy}, ${size} entries`)
      return { policy, size, miss: missRatio(trace, size, policy) }
    }),
  )
  return { trace, sizes, cells }
}

export function missOf({ cells }: Result, policy: PolicyName, size: number): number {
  const cell = cells.find(one => one.policy === policy && one.size === size)
  if (cell === undefined) throw new RangeError(`${policy} was not replayed with ${size} entries`)
  return cell.miss
}
