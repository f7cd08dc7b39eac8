import type { Violation } from './protocol.ts'
import type { ChaosReport } from './run.ts'

/** What is stale once is found stale again and again. */
const MOST_TOLD = 20

/** What is to be said about a run, as lines of text. */
export function linesOf(report: ChaosReport): string[] {
  const { seed, faults, violations, tallies, loads, outcomes, recoveries } = report
  const count = Object.values(faults).reduce((sum, number) => sum + number, 0)
  const worst = (field: 'worstRead' | 'worstReadBreakerOpen' | 'worstWrite'): string =>
    Math.max(0, ...tallies.map(tally => tally[field])).toFixed(1)
  return [
    `seed ${seed}: ${count} faults in ${report.seconds.toFixed(1)} s, ${violations.length} violations`,
    ...table(faults),
    `reads ${tallies.reduce((sum, { reads }) => sum + reads, 0)}, loads ${loads}`,
    `invalidations ${Object.entries(outcomes)
      .map(([status, number]) => `${status} ${number}`)
      .join(', ')}`,
    `without faults: hit ratio ${report.efficiency.hitRatio.toFixed(2)}, loads per outdated key ${report.efficiency.loadsPerOutdatedKey.toFixed(2)}`,
    `recovered after ${quantiles(recoveries)} ms (median, 90 %, worst)`,
    `worst read ${worst('worstRead')} ms, with the breaker open ${worst('worstReadBreakerOpen')} ms, worst write ${worst('worstWrite')} ms, each without the delay of its event loop`,
    `past the near tier, judged: ${report.readsPastNear} reads`,
    `lost with a killed process: ${report.lostWithProcess} invalidations, ${report.staleWithProcess} times seen`,
    ...linesOfViolations(violations),
  ]
}

function table(faults: Readonly<Record<string, number>>): string[] {
  return Object.entries(faults)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, count]) => `  ${String(count).padStart(5)}  ${kind}`)
}

function quantiles(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b)
  const at = (part: number): string =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toString()
  return [at(0.5), at(0.9), at(1)].join(', ')
}

function linesOfViolations(violations: readonly Violation[]): string[] {
  const told = violations.slice(0, MOST_TOLD).map(({ kind, what }) => `VIOLATION ${kind}: ${what}`)
  return violations.length > told.length ? [...told, `and ${violations.length - told.length} more`] : told
}
