import { expect, test } from 'vitest'
import { parseArguments } from '../compression/arguments.ts'
import { crossover } from '../compression/ways.ts'
import { UsageError } from '../lib/command.ts'
import { run } from './run.ts'

test('compares both ways, and dictionaries with none', { timeout: 30_000 }, async () => {
  const { code, stdout, stderr } = await run('compression', [
    ...['--sizes', '1,8', '--dictionaries', '1024', '--runs', '2'],
  ])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^zstd, compress( +[\d,]+ → [\d,]+ \([\d,]+\)){2}$/m)
  expect(stdout).toMatch(/^deflate, decompress( +[\d,]+ → [\d,]+ \([\d,]+\)){2}$/m)
  const ratio = (bytes: string): number =>
    Number(stdout.match(new RegExp(`^deflate +${bytes} +([\\d.]+) +\\d+ +\\d+$`, 'm'))?.[1])
  expect(ratio('1,024')).toBeGreaterThan(1.5 * ratio('0'))
})

test('names the size from which on the thread pool is better by all, not once by chance', () => {
  const series = (name: string, ...busy: number[]) => ({
    name,
    timings: busy.map(each => ({ sync: 10, busy: each, wait: 0 })),
  })
  expect(crossover([1, 2, 3, 4], [series('a', 5, 15, 9, 8), series('b', 5, 5, 5, 5)])).toBe(3)
  expect(crossover([1, 2], [series('a', 5, 15)])).toBeUndefined()
})

test('asks for numbers', () => {
  expect(() => parseArguments(['--sizes', 'many'])).toThrow(UsageError)
  expect(() => parseArguments(['--dictionaries', '0'])).toThrow(UsageError)
  expect(parseArguments(['--dictionaries', '']).dictionaries).toEqual([])
})
