import { expect, test } from 'vitest'
import { helpText, parseArguments } from '../src/demo/arguments.ts'
import { UsageError } from '../src/demo/usage-error.ts'

const POLICIES = ['lru', 'lfu']
const parse = (...argv: string[]) => parseArguments(argv, POLICIES)

test('without options: 30 seconds of built-in traffic, the first policy', () => {
  expect(parse()).toEqual({ duration: 30, policy: 'lru', json: false, keep: false, help: false })
})

test('every option is understood, also after the dashes that pnpm hands on', () => {
  const all = ['--trace', 'keys.gz', '--duration=2.5', '--policy', 'lfu', '--json', '--keep', '-h']
  const expected = { trace: 'keys.gz', duration: 2.5, policy: 'lfu', json: true, keep: true, help: true }
  expect(parse(...all)).toEqual(expected)
  expect(parse('--', ...all)).toEqual(expected)
})

test.each([
  [['--jsn'], /--jsn/],
  [['keys.txt'], /keys\.txt/],
  [['--trace'], /--trace/],
  [['--trace='], /--trace must name a file/],
  [['--json=yes'], /--json/],
  [['--duration', '0'], /--duration must be .* 1 to 86400; received "0"/],
  [['--duration', 'NaN'], /received "NaN"/],
  [['--duration', 'Infinity'], /received "Infinity"/],
  [['--duration='], /received ""/],
  [['--policy', 'clock'], /--policy must be one of lru, lfu; received "clock"/],
  [['--policy='], /received ""/],
])('%j is refused, naming the option', (argv, message) => {
  expect(() => parse(...argv)).toThrow(UsageError)
  expect(() => parse(...argv)).toThrow(message)
})

test('the help names every option and the policies', () => {
  const help = helpText(POLICIES)
  for (const word of ['--trace', '--duration', '--policy', '--json', '--keep', '--help', 'lru, lfu']) {
    expect(help).toContain(word)
  }
})
