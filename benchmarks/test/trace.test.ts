import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { GENERATED } from '../hit-ratio/generated.ts'
import { keyOf, readLog, readTrace } from '../hit-ratio/read-trace.ts'
import { UsageError } from '../lib/command.ts'
import { temporaryDirectory } from './files.ts'

const directory = temporaryDirectory()

test('each distinct key has a number, in order of first appearance', async () => {
  const trace = await readTrace(directory.file('keys.txt', 'b\na\nb\n__proto__\na\n'))
  expect(trace).toEqual({ name: 'keys', references: Uint32Array.of(0, 1, 0, 2, 1), unique: 3 })
})

test('blank lines, line ends of Windows and a missing last one change nothing', async () => {
  const { references } = await readTrace(directory.file('windows.txt', '7\r\n\r\n8\r\n7'))
  expect([...references]).toEqual([0, 1, 0])
})

test('a .gz file is unpacked, also one of several members as rotated logs are', async () => {
  const twice = Buffer.concat([gzipSync('1\n2\n'), gzipSync('1\n')])
  const trace = await readTrace(directory.file('rotated.txt.gz', twice))
  expect(trace).toEqual({ name: 'rotated', references: Uint32Array.of(0, 1, 0), unique: 2 })
})

test('keys are whole where the blocks of a large file meet, in the middle of a character too', async () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `schlüssel-${i % 9_973}-€`)
  const { references, unique } = await readTrace(directory.file('large.txt', keys.join('\n')))
  expect(unique).toBe(9_973)
  expect(references).toEqual(Uint32Array.from({ length: 40_000 }, (_, i) => i % 9_973))
})

test.each([
  ['a missing file', () => join(directory.path, 'missing.txt'), /cannot read .*missing\.txt/],
  ['a missing .gz', () => join(directory.path, 'missing.gz'), /cannot read .*missing\.gz/],
  ['a directory', () => directory.path, /cannot read/],
  ['a .gz that is none', () => directory.file('broken.gz', 'plain'), /cannot read .*broken\.gz/],
  [
    'a .gz cut off',
    () => directory.file('cut.gz', gzipSync('1\n2\n').subarray(0, 15)),
    /cannot read .*cut\.gz/,
  ],
  ['an empty file', () => directory.file('empty.txt', '\n\n'), /has no keys/],
  ['what is no text', () => directory.file('binary', Buffer.alloc(2_000_000, 1)), /is no text file/],
])('%s is refused with a message for the user', async (_, path, message) => {
  const reading = readTrace(path())
  await expect(reading).rejects.toThrow(UsageError)
  await expect(reading).rejects.toThrow(message)
})

describe('keys of a log', () => {
  const log = [
    '10.0.0.1 - - "GET /products/1?a=b HTTP/1.1" 200',
    '10.0.0.2 - - "POST /orders HTTP/1.1" 201',
    '10.0.0.1 - - "GET /products/2 HTTP/1.1" 200',
    '10.0.0.3 - - "GET /products/1 HTTP/1.1" 304',
  ].join('\n')

  test('are what the first group captures, and other lines do not count', async () => {
    const trace = await readLog([directory.file('access.log', log)], /"GET ([^ ?]+)/)
    expect([...trace.references]).toEqual([0, 1, 0])
    expect(trace).toMatchObject({ lines: 4, unique: 2, name: 'access.log' })
  })

  test('go on from one file to the next', async () => {
    const files = [directory.file('old.log.gz', gzipSync(log)), directory.file('new.log', log)]
    const trace = await readLog(files, /"GET ([^ ?]+)/)
    expect([...trace.references]).toEqual([0, 1, 0, 0, 1, 0])
  })

  test.each([
    ['the whole match without a group', /\/\w+/, '/a'],
    ['the first of several groups', /(\/)(\w+)/, '/'],
    ['a named group', /(?<id>\w+)$/, 'a'],
    ['nothing if the line does not match', /b/, undefined],
    ['nothing if the group took no part', /(b)?\/a/, undefined],
    ['nothing if the group is empty', /(b*)\/a/, undefined],
  ])('are %s', (_, pattern, key) => {
    expect(keyOf('x /a', pattern)).toBe(key)
  })

  test('that fit no line are refused, with a line to look at', async () => {
    const reading = readLog([directory.file('other.log', log)], /PUT (\S+)/)
    await expect(reading).rejects.toThrow(UsageError)
    await expect(reading).rejects.toThrow(/fits none of 4 lines; the first is\n {2}10\.0\.0\.1/)
  })

  test('in a log without lines are refused', async () => {
    await expect(readLog([directory.file('nothing.log', '')], /./)).rejects.toThrow(/no lines/)
  })
})

test.each([...GENERATED])('built in: %s is the same every time and counts its keys', (name, generate) => {
  const trace = generate()
  expect(trace.name).toBe(name)
  expect(trace.unique).toBe(new Set(trace.references).size)
  expect(generate()).toEqual(trace)
})
