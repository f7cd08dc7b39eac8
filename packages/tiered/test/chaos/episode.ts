import { sleep } from './clock.ts'
import { enforceFor } from './healthy.ts'
import { type Episode, typeOf } from './schedule.ts'
import { settle } from './settle.ts'
import type { Stage } from './stage.ts'

export interface Run {
  readonly stage: Stage
  readonly log: (line: string) => void
  /** Milliseconds from each heal until all were coherent with empty journals. */
  readonly recoveries: number[]
  /** Faults by kind. */
  readonly happened: Record<string, number>
  /** Reads past the near tiers that could be judged. */
  readsPastNear: number
}

/** Lets the faults of an episode happen and end, then judges. */
export async function play(run: Run, episode: Episode): Promise<void> {
  const { stage } = run
  const seen = stage.violations.length
  const losesData = episode.some(({ kind }) => typeOf(kind).losesData)
  stage.truth.judgePastNear(false)
  if (losesData) await stage.expectOwnWrites(false)
  const harmless = episode.every(({ kind }) => typeOf(kind).harmless)
  const lastsMs = Math.max(...episode.map(({ endsAt }) => endsAt))
  await Promise.all([
    harmless && enforceFor(stage, lastsMs),
    ...episode.map(async ({ kind, slot, startsAt, endsAt }) => {
      await sleep(startsAt)
      run.happened[kind] = (run.happened[kind] ?? 0) + 1
      const end = await typeOf(kind).begin(stage, slot)
      await sleep(endsAt - startsAt)
      await end()
    }),
  ])
  const streamOnly = episode.every(({ kind }) => typeOf(kind).streamOnly)
  const tookMs = await settle(stage)
  stage.truth.allowAll()
  run.recoveries.push(tookMs)
  run.readsPastNear += stage.truth.judgePastNear(streamOnly)
  if (losesData) await stage.expectOwnWrites(true)
  const what = episode.map(({ kind, slot, startsAt, endsAt }) => {
    const where = typeOf(kind).at === 'server' ? '' : ` @${slot}`
    return `${kind}${where} ${startsAt}-${endsAt}`
  })
  run.log(`${what.join(', ')}: recovered after ${Math.round(tookMs)} ms`)
  if (stage.violations.length > seen) run.log(`  VIOLATIONS: ${stage.violations.length - seen}`)
}
