import fc from 'fast-check'
import { expect, it } from 'vitest'
import { kindsAt } from './faults.ts'
import { Random } from './random.ts'
import { type Episode, schedule, typeOf } from './schedule.ts'
import { shortForm } from './short.ts'

const KINDS = kindsAt('server')

function plan(seed: number, faults: number): Episode[] {
  return schedule(new Random(seed), { faults, processes: 3, kinds: KINDS })
}

const seeds = fc.integer({ min: 0, max: 1_000_000 })

it('a seed determines the plan, and another one makes another', () => {
  fc.assert(
    fc.property(seeds, seed => {
      expect(plan(seed, 30)).toEqual(plan(seed, 30))
      expect(plan(seed, 30)).not.toEqual(plan(seed + 1, 30))
      expect(shortForm(seed)).toEqual(shortForm(seed))
    }),
  )
})

it('has as many faults as were asked for, each kind as often as the others', () => {
  fc.assert(
    fc.property(seeds, seed => {
      const faults = plan(seed, 2 * KINDS.length).flat()
      expect(faults.length).toBe(2 * KINDS.length)
      for (const kind of KINDS) expect(faults.filter(fault => fault.kind === kind).length).toBe(2)
    }),
  )
})

it('lets one fault at a time befall the server, and leaves alone what has to be', () => {
  fc.assert(
    fc.property(seeds, seed => {
      for (const episode of plan(seed, 60)) {
        const types = episode.map(({ kind }) => typeOf(kind))
        expect(types.filter(({ at }) => at === 'server').length).toBeLessThanOrEqual(1)
        if (types.some(({ alone }) => alone)) expect(episode.length).toBe(1)
      }
    }),
  )
})
