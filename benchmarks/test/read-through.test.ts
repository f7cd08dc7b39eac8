import { RedisServer } from '@cache/test-support'
import { expect, test } from 'vitest'
import { CONTESTANTS } from '../read-through/contestants.ts'
import { reached } from '../read-through/goals.ts'
import type { Measurement } from '../read-through/measure.ts'
import { run } from './run.ts'

test('every contestant loads a key once, and then has it', async () => {
  const redis = await RedisServer.start()
  try {
    for (const { name, open } of CONTESTANTS) {
      const cache = await open(10, redis.url)
      let loads = 0
      const load = async () => ({ id: `loaded ${++loads}` })
      for (let i = 0; i < 3; i++) expect(await cache.get('k', load), name).toEqual({ id: 'loaded 1' })
      await cache.close?.()
    }
  } finally {
    await redis.stop()
  }
})

test('a goal is reached by the median of its rounds', () => {
  const round = (ratio: number): Measurement => ({
    zipf: { ratio, ns: 100 },
    hot: { ratio, ns: 100 },
    missUs: 4,
    flightBytes: 500,
  })
  const rounds = [round(1.4), round(1.45), round(9), { error: 'ended with SIGKILL' }]
  const found = reached([{ contestant: '@cache/core+memory', rounds }])
  expect(found.map(({ figure, met }) => [figure.median, met])).toEqual([
    [1.45, true],
    [4, true],
    [500, false],
  ])
})

test('a quick run prints a table with every column, and says what it does not understand', async () => {
  const { code, stdout } = await run('read-through', [
    '--quick',
    '--only',
    'layered-loader',
    '--keys',
    '50',
    '--markdown',
  ])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^## Read-through, /)
  expect(stdout).toMatch(/\| @cache\/core\+memory \| [\d.]+ \([\d.]+–[\d.]+\) [\d,]+ ns \|/)
  expect(stdout).toContain('| layered-loader |')
  const wrong = await run('read-through', ['--only', 'nobody'])
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('knows no "nobody"') })
}, 60_000)
