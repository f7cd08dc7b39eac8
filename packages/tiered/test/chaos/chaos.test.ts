import { expect, it } from 'vitest'
import { linesOf } from './report.ts'
import { runChaos } from './run.ts'
import { shortForm } from './short.ts'

/** Of the schedule; another one: CHAOS_SEED. */
const SEED = Number(process.env.CHAOS_SEED ?? 1)

it('no promise is broken, whatever goes wrong between processes and their Redis', async () => {
  const report = await runChaos(shortForm(SEED))
  expect(report.violations, linesOf(report).join('\n')).toEqual([])
  // The run has seen what it is about.
  expect(report.outcomes.queued).toBeGreaterThan(0)
  expect(report.readsPastNear).toBeGreaterThan(0)
}, 180_000)
