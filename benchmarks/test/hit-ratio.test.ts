import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { POLICY_NAMES } from '@cache/memory'
import { expect, test } from 'vitest'
import { parseArguments } from '../hit-ratio/arguments.ts'
import { UsageError } from '../lib/command.ts'
import { temporaryDirectory } from './files.ts'
import { run } from './run.ts'

const directory = temporaryDirectory()
const place = temporaryDirectory()
const keys = Array.from({ length: 2_000 }, (_, i) => `${(i * i) % 97}`).join('\n')

test('traces are replayed under every policy, tabulated and drawn', async () => {
  const svg = join(directory.path, 'chart.svg')
  const files = [directory.file('one.txt', keys), directory.file('two.txt.gz', gzipSync(keys))]
  const { code, stdout } = await run('hit-ratio', [...files, '--sizes', '10%,20', '--svg', svg])
  expect(code).toBe(0)
  for (const name of ['one', 'two']) expect(stdout).toContain(`${name}: 2,000 references`)
  for (const policy of POLICY_NAMES) expect(stdout).toMatch(new RegExp(`^${policy} +\\*?[01]\\.\\d{4}`, 'm'))
  expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [\s\S]+<\/svg>\n$/)
})

test('a log ends in the name of the policy to pick', async () => {
  const log = directory.file(
    'access.log',
    keys.replaceAll(/^.+$/gm, key => `GET /item/${key} 200`),
  )
  const { code, stdout, stderr } = await run('hit-ratio', [
    '--from',
    log,
    '--key',
    'item/(\\d+)',
    '--sizes',
    '5',
  ])
  expect(code).toBe(0)
  expect(stderr).toContain('2,000 lines, 2,000 with a key')
  expect(stdout).toMatch(/With room for 5 entries .+ would have done best/)
  expect(stdout.trim().split('\n').at(-1)).toMatch(/^Pick \S+: new BoundedMap/)
})

test('--json prints one object and nothing else', async () => {
  const file = directory.file('json.txt', keys)
  const { stdout } = await run('hit-ratio', [file, '--json', '--policies', 'fifo,lru', '--sizes', '3'])
  expect(JSON.parse(stdout)).toEqual({
    results: [
      {
        trace: 'json',
        references: 2_000,
        unique: 49,
        cells: [
          { policy: 'lru', size: 3, miss: expect.any(Number) },
          { policy: 'fifo', size: 3, miss: expect.any(Number) },
        ],
      },
    ],
  })
})

test('without a trace, those in TRACES_DIR are replayed', async () => {
  place.file('mine.txt.gz', gzipSync(keys))
  place.file('README.md', 'not a trace')
  const { code, stdout } = await run('hit-ratio', ['--policies', 'lru'], { TRACES_DIR: place.path })
  expect(code).toBe(0)
  expect(stdout.match(/references/g)).toHaveLength(1)
  expect(stdout).toContain('mine: 2,000 references')
})

test('--reference compares the traces that are in it', async () => {
  const files = [directory.file('known.txt', keys), directory.file('unknown.txt', keys)]
  const rows = 'known,2000,49,5,LRU,0.5000\nknown,2000,49,5,ARC,0.4000\n'
  const csv = directory.file('other.csv', `trace,refs,unique,size,policy,miss\n${rows}`)
  const { code, stdout, stderr } = await run('hit-ratio', [...files, '--reference', csv, '--policies', 'lru'])
  expect(code).toBe(0)
  expect(stderr).toContain('unknown: not in')
  expect(stdout).toContain('known, 5 entries; best of the reference: ARC 0.4000')
  expect(stdout).toContain('All 1 cells')
  expect(stdout).toContain('mean regret')
})

test('a trace of the same name that is another one is refused', async () => {
  const csv = directory.file('wrong.csv', 'trace,refs,unique,size,policy,miss\nsame,7,3,2,LRU,0.5\n')
  const { code, stderr } = await run('hit-ratio', [directory.file('same.txt', keys), '--reference', csv])
  expect(code).toBe(2)
  expect(stderr).toContain('same has 2,000 references')
})

test.each([
  ['a missing trace', ['no-such-file.txt'], 'cannot read no-such-file.txt'],
  ['a missing log', ['--from', 'no-such.log'], 'cannot read no-such.log'],
  ['an unknown option', ['--fast'], '--fast'],
  ['a reference without a trace of it', ['loop', '--reference', 'no-such.csv'], 'cannot read no-such.csv'],
])('%s ends the tool with exit code 2', async (_, args, message) => {
  const { code, stdout, stderr } = await run('hit-ratio', args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain('--help')
})

test('--help tells about every option', async () => {
  const { code, stdout } = await run('hit-ratio', ['--help'])
  expect(code).toBe(0)
  for (const option of ['--from', '--key', '--sizes', '--policies', '--reference', '--svg', '--json']) {
    expect(stdout).toContain(option)
  }
})

test('defaults: every policy, and sizes from a thousandth of the keys to a tenth', () => {
  expect(parseArguments([])).toMatchObject({
    policies: POLICY_NAMES,
    sizes: [{ share: 0.001 }, { share: 0.01 }, { share: 0.1 }],
    traces: [],
  })
})

test('without --key the whole line is the key', () => {
  expect(parseArguments(['--from', 'a.log']).log).toEqual({ files: ['a.log'], pattern: /.+/ })
})

test.each([
  [['--policies', 'lru,lirs'], /--policies must be some of lru, .+; received "lirs"/],
  [['--policies', ''], /--policies/],
  [['--sizes', '1,,x'], /received "x"/],
  [['--sizes', ''], /--sizes/],
  [['--from', 'a.log', '--key', '('], /--key must be a regular expression/],
  [['--key', 'x'], /--key needs a log/],
  [['a.txt', '--from', 'a.log'], /not both/],
  [['--from', 'a.log', '--reference', 'r.csv'], /--reference needs traces/],
  [['--reference', 'r.csv', '--sizes', '1'], /brings its own sizes/],
  [['--svg', ''], /--svg must name a file/],
  [['--from', ''], /--from must name a file/],
])('%j is refused in words', (argv, message) => {
  expect(() => parseArguments(argv)).toThrow(UsageError)
  expect(() => parseArguments(argv)).toThrow(message)
})
