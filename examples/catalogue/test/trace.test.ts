import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readTrace, zipfTrace } from '../src/demo/trace.ts'
import { UsageError } from '../src/demo/usage-error.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'catalogue-trace-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

test('each distinct key is a product of its own, in order of first appearance', async () => {
  const trace = await readTrace(await file('keys.txt', 'b\na\nb\n__proto__\na\n'), 10)
  expect([...trace.ids]).toEqual([1, 2, 1, 3, 2])
  expect(trace.name).toBe('keys.txt: 5 references, 3 keys')
})

test('blank lines, line ends of Windows and a missing last one change nothing', async () => {
  const trace = await readTrace(await file('windows.txt', '7\r\n\r\n8\r\n7'), 10)
  expect([...trace.ids]).toEqual([1, 2, 1])
})

test('a .gz file is unpacked', async () => {
  const trace = await readTrace(await file('keys.txt.gz', gzipSync('1\n2\n1\n')), 10)
  expect([...trace.ids]).toEqual([1, 2, 1])
})

test('more keys than products share products, and the name says so', async () => {
  const trace = await readTrace(await file('many.txt', '5\n6\n7\n8\n'), 3)
  expect([...trace.ids]).toEqual([1, 2, 3, 1])
  expect(trace.name).toContain('sharing 3 products')
})

test.each([
  ['a missing file', () => join(directory, 'missing.txt'), /cannot read .*missing\.txt/],
  ['a directory', () => directory, /cannot read/],
  ['a .gz that is none', () => file('broken.gz', 'plain'), /cannot read .*broken\.gz/],
  ['an empty file', () => file('empty.txt', '\n\n'), /has none/],
])('%s is refused with a message for the user', async (_, path, message) => {
  const reading = readTrace(await path(), 10)
  await expect(reading).rejects.toThrow(UsageError)
  await expect(reading).rejects.toThrow(message)
})

test('Zipf: the same seed gives the same traffic', () => {
  expect(zipfTrace(100, 50, 1).ids).toEqual(zipfTrace(100, 50, 1).ids)
  expect(zipfTrace(100, 50, 1).ids).not.toEqual(zipfTrace(100, 50, 2).ids)
})

test('Zipf: the product of rank r is asked for in proportion to 1 / r^0.99', () => {
  const products = 50
  const length = 400_000
  const byRank = Map.groupBy(zipfTrace(products, length).ids, id => id)
  const sum = Array.from({ length: products }, (_, index) => (index + 1) ** -0.99).reduce((a, b) => a + b)
  expect([...byRank.keys()].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: products }, (_, index) => index + 1),
  )
  for (const rank of [1, 2, 10, 50]) {
    const expected = (length * rank ** -0.99) / sum
    expect(Math.abs((byRank.get(rank)?.length ?? 0) / expected - 1)).toBeLessThan(0.05)
  }
})
