import type { PolicyName } from '@cache/memory'
import { count, mean } from '../lib/numbers.ts'
import { textTable } from '../lib/table.ts'
import { bestOf, counterpart, type ReferenceCell } from './reference.ts'
import { missOf, type Result } from './replay.ts'

/** One policy of ours in one cell of the reference. */
export interface Compared {
  readonly trace: string
  readonly size: number
  readonly policy: PolicyName
  readonly miss: number
  /** The reference's policy of the same name, if it has one. */
  readonly reference?: number
  /** Our miss ratio minus that of the reference's best policy in the cell. */
  readonly regret: number
  /** Our miss ratio minus that of the reference's LRU, if it has one. */
  readonly aboveLru?: number
}

/** @param cells those of the result's trace, of the sizes that were replayed */
export function compare(result: Result, cells: readonly ReferenceCell[]): Compared[] {
  const policies = [...new Set(result.cells.map(({ policy }) => policy))]
  return cells.flatMap(cell =>
    policies.map(policy => {
      const miss = missOf(result, policy, cell.size)
      const reference = counterpart(policy, cell)
      const lru = counterpart('lru', cell)
      return {
        trace: cell.trace,
        size: cell.size,
        policy,
        miss,
        regret: miss - bestOf(cell).miss,
        ...(reference === undefined ? {} : { reference }),
        ...(lru === undefined ? {} : { aboveLru: miss - lru }),
      }
    }),
  )
}

/** Every cell: ours, the same policy of the reference, and what the reference's best had over ours. */
export function comparisonTable(compared: readonly Compared[], cells: readonly ReferenceCell[]): string {
  const sections = cells.map(cell => {
    const best = bestOf(cell)
    const here = compared.filter(one => one.trace === cell.trace && one.size === cell.size)
    const rows = here.map(({ policy, miss, reference, regret }) => [
      policy,
      miss.toFixed(4),
      reference === undefined ? '–' : reference.toFixed(4),
      reference === undefined ? '–' : difference(miss, reference),
      regret.toFixed(4),
    ])
    return [
      `${cell.trace}, ${count(cell.size)} entries; best of the reference: ${best.policy} ${best.miss.toFixed(4)}`,
      textTable({ header: ['', 'ours', 'reference', 'difference', 'regret'], rows }),
    ].join('\n')
  })
  return sections.join('\n\n')
}

/** Every policy of ours over all cells. */
export function summaryTable(compared: readonly Compared[]): string {
  const rows = [...Map.groupBy(compared, ({ policy }) => policy)].map(([policy, cells]) => {
    const worst = cells.reduce((a, b) => (b.regret > a.regret ? b : a))
    const same = cells.filter(({ reference }) => reference !== undefined)
    const equal = same.filter(({ miss, reference }) => miss.toFixed(4) === reference?.toFixed(4))
    const aboveLru = cells.flatMap(one => (one.aboveLru === undefined ? [] : [one.aboveLru]))
    return [
      policy,
      mean(cells.map(({ regret }) => regret)).toFixed(4),
      `${worst.regret.toFixed(4)} (${worst.trace}, ${count(worst.size)})`,
      aboveLru.length === 0 ? '–' : Math.max(...aboveLru).toFixed(4),
      same.length === 0 ? '–' : `${equal.length} of ${same.length}`,
      same.length === 0 ? '–' : Math.max(...same.map(one => off(one))).toFixed(4),
    ]
  })
  const header = ['', 'mean regret', 'max regret', 'max above LRU', 'equal cells', 'furthest off']
  return textTable({ header, rows })
}

function off({ miss, reference = miss }: Compared): number {
  return Math.abs(miss - reference)
}

function difference(miss: number, reference: number): string {
  return miss.toFixed(4) === reference.toFixed(4) ? '=' : signed(miss - reference)
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(4)}`
}
