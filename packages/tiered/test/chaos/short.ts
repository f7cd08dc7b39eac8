import { type FaultKind, isWithstood, kindsAt } from './faults.ts'
import { Random } from './random.ts'
import type { ChaosOptions } from './run.ts'

/** Each takes something else to withstand. */
const ALWAYS: readonly FaultKind[] = [
  'subscriber partitioned',
  'commands in a blackhole',
  'frozen',
  'writes not sent',
  'answers delayed',
  'partition',
  'older data',
  'late writes',
  'delay beyond deadlines',
  'process killed while cut off',
]
const OTHERS = 3

/** The form that is part of every test run: some twenty seconds, and every mechanism is needed in them. */
export function shortForm(seed: number): ChaosOptions {
  const always = ALWAYS.filter(isWithstood)
  const others = kindsAt('server').filter(kind => !always.includes(kind))
  const kinds = [...always, ...new Random(seed, 2).shuffled(others).slice(0, OTHERS)]
  return { seed, kinds, faults: kinds.length, processes: 3, healthyMs: 2_000 }
}
