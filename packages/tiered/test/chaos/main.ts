/**
 * The long form of the chaos suite:
 *
 *     pnpm test:chaos
 *     CHAOS_SEED=7 CHAOS_FAULTS=50 CHAOS_KINDS='frozen,subscriber cut' pnpm test:chaos
 *     CHAOS_SEED=3 CHAOS_SHORT=1 pnpm test:chaos        the form that is part of every test run
 *     pnpm test:chaos --mutants                         see mutants.ts
 *
 * The seed is printed: with it the same faults happen again, at the same times.
 */
import type { Topology } from './backend.ts'
import { FAULTS, type FaultKind, kindsAt } from './faults.ts'
import { proveByMutants } from './mutants.ts'
import { linesOf } from './report.ts'
import { type ChaosOptions, runChaos } from './run.ts'
import { shortForm } from './short.ts'

const {
  CHAOS_SEED,
  CHAOS_FAULTS = '1000',
  CHAOS_KINDS,
  CHAOS_PROCESSES = '4',
  CHAOS_STOP,
  CHAOS_SHORT,
} = process.env
/** Of the faults that befall a Redis with sentinels, and of those in a cluster, where each takes some ten seconds. */
const WATCHED_SHARE = 0.04

if (process.argv.includes('--mutants')) await proveByMutants(process.argv.slice(2))
else await runAll()

async function runAll(): Promise<void> {
  const seed = Number(CHAOS_SEED ?? Math.floor(Math.random() * 1_000_000))
  console.log(`CHAOS_SEED=${seed} ${CHAOS_SHORT ? 'CHAOS_SHORT=1' : `CHAOS_FAULTS=${CHAOS_FAULTS}`}`)
  for (const options of CHAOS_SHORT ? [shortForm(seed)] : longForm(seed)) {
    const report = await runChaos({
      ...options,
      stopAtFirst: CHAOS_STOP !== undefined,
      log: line => console.log(line),
    })
    console.log(linesOf(report).join('\n'))
    if (report.violations.length > 0) process.exitCode = 1
  }
}

function longForm(seed: number): ChaosOptions[] {
  const chosen = CHAOS_KINDS?.split(',')
  for (const kind of chosen ?? []) if (!(kind in FAULTS)) throw new Error(`no such fault: ${kind}`)
  const all = Number(CHAOS_FAULTS)
  const common = { seed, processes: Number(CHAOS_PROCESSES), healthyMs: 5_000 }
  if (chosen) return [{ ...common, topology: topologyFor(chosen), kinds: chosen, faults: all }]
  const watched = Math.round(all * WATCHED_SHARE)
  return [
    { ...common, topology: 'server', faults: all - 2 * watched },
    { ...common, topology: 'sentinels', kinds: mixAt('sentinels'), faults: watched },
    { ...common, topology: 'cluster', kinds: mixAt('cluster'), faults: watched },
  ]
}

function topologyFor(kinds: readonly FaultKind[]): Topology {
  const places = kinds.map(kind => FAULTS[kind]?.at)
  return (['sentinels', 'cluster'] as const).find(topology => places.includes(topology)) ?? 'server'
}

/** Half of them can happen nowhere else. */
function mixAt(topology: Topology): readonly FaultKind[] {
  const kinds = kindsAt(topology)
  const own = kinds.filter(kind => FAULTS[kind]?.at === topology)
  const others = kinds.filter(kind => !own.includes(kind))
  return [...others, ...Array.from({ length: Math.floor(others.length / own.length) }, () => own).flat()]
}
