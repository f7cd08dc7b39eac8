import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { POLICY_NAMES } from '@cache/memory'
import { expect, test } from 'vitest'
import { UsageError } from '../lib/command.ts'
import { describeMachine } from '../lib/machine.ts'
import { parseArguments } from '../memory/arguments.ts'
import { CONTESTANTS, type Subject } from '../memory/contestants.ts'
import { measure, WORKLOADS } from '../memory/workloads.ts'
import { temporaryDirectory } from './files.ts'
import { run } from './run.ts'

const directory = temporaryDirectory()
const names = CONTESTANTS.map(({ name }) => name)

test('every policy takes part, with ttl and without', () => {
  for (const policy of POLICY_NAMES) {
    expect(names).toContain(`bounded-map/${policy}`)
    expect(names).toContain(`bounded-map/${policy}+ttl`)
  }
  expect(new Set(names).size).toBe(names.length)
})

test.each(CONTESTANTS)('$name holds what it has room for', async ({ load }) => {
  const cache = (await load())(100)
  for (let id = 0; id < 100; id++) cache.set(`key:${id}`, { id })
  for (let id = 0; id < 100; id++) expect(cache.get(`key:${id}`)).toEqual({ id })
  expect(cache.get('key:100')).toBeUndefined()
})

test('quick-lru and the Map aside, nobody holds more', async () => {
  for (const { name, load } of CONTESTANTS.filter(one => !/^(Map|quick-lru.*)$/.test(one.name))) {
    const cache = (await load())(10)
    for (let id = 0; id < 100; id++) cache.set(`key:${id}`, { id })
    const held = Array.from({ length: 100 }, (_, id) => cache.get(`key:${id}`)).filter(Boolean)
    expect(held.length, name).toBeLessThanOrEqual(10)
    expect(held.length, name).toBeGreaterThan(0)
  }
})

const packages = CONTESTANTS.flatMap(contestant => contestant.package ?? [])

test('every package has a version to print', () => {
  for (const version of Object.values(describeMachine(packages).packages))
    expect(version).toMatch(/^\d+\.\d+\.\d+/)
})

test('a cache that loses entries it has room for is not measured as a fast one', () => {
  const forgetful = (): Subject => ({ get: () => undefined, set: () => {} })
  expect(() => measure(forgetful, { workload: 'hit', keys: 100, budgetMs: 1 })).toThrow(/holds only 0/)
})

test('set and mixed have room for a tenth of the keys, hit for all', async () => {
  const rooms = new Map<string, number>()
  for (const workload of WORKLOADS.filter(one => one !== 'bytes')) {
    const open = (capacity: number): Subject => {
      rooms.set(workload, capacity)
      return new Map()
    }
    await measure(open, { workload, keys: 1_000, budgetMs: 1 })
  }
  expect(Object.fromEntries(rooms)).toEqual({ hit: 1_000, set: 100, mixed: 100 })
})

test('in the end every figure is there, in a table and in the file', { timeout: 60_000 }, async () => {
  const json = join(directory.path, 'samples.json')
  const args = ['--quick', '--keys', '500', '--runs', '1', '--only', 'bounded-map/lru+ttl', '--json', json]
  const { code, stdout, stderr } = await run('memory', args)
  expect(stderr).not.toContain('failed')
  expect(code).toBe(0)
  expect(stdout).toMatch(/bounded-map\/lru\+ttl( +\S+ \(.+?\)( [\d,]+ ns)?(, \d+ %)?){4}\n/)
  const { machine, series } = JSON.parse(readFileSync(json, 'utf8'))
  expect(machine.node).toBe(process.version)
  expect(series).toHaveLength(2 * WORKLOADS.length)
  for (const { rounds } of series)
    expect(rounds).toEqual([expect.objectContaining({ figure: expect.any(Number) })])
})

const parse = (...argv: string[]) => parseArguments(argv, ['Map', 'a', 'b/x', 'b/y+ttl'])

test('names after --only choose contestants, and the Map is always there', () => {
  expect(parse('--only', 'a').contestants).toEqual(['Map', 'a'])
  expect(parse('--only', 'b/*', 'a').contestants).toEqual(['Map', 'a', 'b/x', 'b/y+ttl'])
  expect(parse('--only=b/y+ttl,a').contestants).toEqual(['Map', 'a', 'b/y+ttl'])
  expect(parse().contestants).toEqual(['Map', 'a', 'b/x', 'b/y+ttl'])
})

test('--quick is small, and what is said besides counts', () => {
  expect(parse('--quick')).toMatchObject({ keys: [10_000], runs: 2 })
  expect(parse('--', '--quick', '--keys', '7,8', '--runs', '3')).toMatchObject({ keys: [7, 8], runs: 3 })
  expect(parse()).toMatchObject({ keys: [10_000, 100_000, 1_000_000], runs: 5 })
})

test.each([
  [['--keys', '0'], /--keys must be a whole number/],
  [['--keys', '1e3'], /--keys must be a whole number/],
  [['--keys', ','], /--keys must be numbers/],
  [['--keys', '16000000'], /at most 15000000/],
  [['--runs', '-1'], /--runs/],
  [['--only', 'c'], /--only knows no "c"; contestants are Map, a/],
  [['a'], /unexpected argument "a"/],
  [['--json', ''], /--json must name a file/],
  [['--fast'], /--fast/],
])('%j is refused in words', (argv, message) => {
  expect(() => parse(...argv)).toThrow(UsageError)
  expect(() => parse(...argv)).toThrow(message)
})

test.each([
  ['an unknown option', ['--fast'], '--fast'],
  ['a file that cannot be written', ['--json', join(directory.path, 'no', 'such.json')], 'cannot write'],
])('%s ends the tool with exit code 2 before anything is measured', async (_, args, message) => {
  const { code, stdout, stderr } = await run('memory', args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
})

test('--help names every contestant', async () => {
  const { code, stdout } = await run('memory', ['--help'])
  expect(code).toBe(0)
  for (const name of names) expect(stdout).toContain(name)
})
