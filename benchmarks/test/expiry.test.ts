import { expect, test } from 'vitest'
import { parseArguments } from '../expiry/arguments.ts'
import { UsageError } from '../lib/command.ts'
import { run } from './run.ts'

test('tells how long the turns took, beside a bare Map', { timeout: 30_000 }, async () => {
  const { code, stdout } = await run('expiry', ['--entries', '3000', '--runs', '1'])
  expect(code).toBe(0)
  expect(stdout).toContain('3,000 entries that end in one second')
  expect(stdout).toMatch(/^BoundedMap, round 1 +([2-9]|\d\d+)( +[\d.]+){5}$/m)
  expect(stdout).toMatch(/^bare Map, round 1 +3( +[\d.]+){5}$/m)
})

test('asks for numbers', () => {
  expect(() => parseArguments(['--entries', 'many'])).toThrow(UsageError)
  expect(() => parseArguments(['--runs', '0'])).toThrow(UsageError)
  expect(parseArguments([])).toEqual({ entries: 1_000_000, runs: 5, markdown: false, help: false })
})
