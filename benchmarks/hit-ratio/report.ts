import type { PolicyName } from '@cache/memory'
import { count, mean } from '../lib/numbers.ts'
import { textTable } from '../lib/table.ts'
import { missOf, type Result } from './replay.ts'

/** A table of miss ratios, policy by size, the lowest of a size marked. */
export function missTable(result: Result): string {
  const { trace, sizes } = result
  const policies = policiesOf(result)
  const table = textTable({
    header: ['miss ratio', ...sizes.map(size => sizeTitle(size, trace.unique))],
    rows: policies.map(policy => [
      policy,
      ...sizes.map(size => {
        const miss = missOf(result, policy, size).toFixed(4)
        return `${miss === lowest(result, size).toFixed(4) ? '*' : ''}${miss}`
      }),
    ]),
  })
  const floor = (trace.unique / trace.references.length).toFixed(4)
  return [
    `${trace.name}: ${count(trace.references.length)} references, ${count(trace.unique)} keys`,
    table,
    `* lowest; no cache can be below ${floor}, since every key must be loaded once`,
  ].join('\n\n')
}

/** In plain words: which policy would have done best at each size, and over all of them. */
export function advice(result: Result): string {
  const { sizes, trace } = result
  const bySize = sizes.map(size => {
    const entries = `${count(size)} ${size === 1 ? 'entry' : 'entries'}`
    return `With room for ${entries} (${share(size, trace.unique)} of your keys), ${verdict(result, size)}.`
  })
  const overall = bestAt(result, sizes)
  return [...bySize, sizes.length > 1 ? `Over these sizes together, pick ${overall}` : `Pick ${overall}`]
    .join('\n')
    .concat(`: new BoundedMap({ maxItems, policy: '${overall}' }).`)
}

function verdict(result: Result, size: number): string {
  const best = bestAt(result, [size])
  const miss = missOf(result, best, size)
  const loads = `${percent(miss)} of requests would have gone to the source`
  const policies = policiesOf(result)
  if (policies.every(policy => missOf(result, policy, size).toFixed(4) === miss.toFixed(4))) {
    return `the policy makes no difference: ${loads}`
  }
  if (best === 'lru' || !policies.includes('lru')) return `${best} would have done best: ${loads}`
  const lru = missOf(result, 'lru', size)
  return `${best} would have done best: ${loads}, against ${percent(lru)} with lru (${percent(1 - miss / lru)} fewer)`
}

/** The first policy with the lowest mean miss ratio. */
function bestAt(result: Result, sizes: readonly number[]): PolicyName {
  const means = policiesOf(result).map(policy => ({
    policy,
    miss: mean(sizes.map(size => missOf(result, policy, size))),
  }))
  return means.reduce((best, one) => (one.miss < best.miss ? one : best)).policy
}

function lowest(result: Result, size: number): number {
  return Math.min(...result.cells.filter(cell => cell.size === size).map(({ miss }) => miss))
}

function policiesOf({ cells }: Result): PolicyName[] {
  return [...new Set(cells.map(({ policy }) => policy))]
}

function sizeTitle(size: number, unique: number): string {
  return `${count(size)} (${share(size, unique)})`
}

function share(size: number, unique: number): string {
  return `${Number(((size / unique) * 100).toPrecision(2))} %`
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`
}
