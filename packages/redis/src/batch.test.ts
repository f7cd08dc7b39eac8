import { CacheError } from '@cache/core'
import { expect, test } from 'vitest'
import { chunked, eachChunk } from './batch.ts'

const timeout = new CacheError('TIMEOUT', 'late')
const unavailable = new CacheError('UNAVAILABLE', 'away')

test('a list is cut into pieces that are full but for the last', () => {
  expect(chunked([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]])
  expect(chunked([], 2)).toEqual([])
})

test('no more chunks are under way than the width, and all are done', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  const task = async (chunk: number): Promise<void> => {
    most = Math.max(most, ++running)
    await new Promise(resolve => setImmediate(resolve))
    running--
    done.push(chunk)
  }
  await eachChunk([1, 2, 3, 4, 5, 6, 7], 3, task, () => {})
  expect(most).toBe(3)
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('a chunk that fails concerns itself alone', async () => {
  const lost: number[] = []
  const begun: number[] = []
  const task = async (chunk: number): Promise<void> => {
    begun.push(chunk)
    if (chunk === 2) throw unavailable
  }
  await eachChunk([1, 2, 3, 4], 1, task, chunk => lost.push(chunk))
  expect({ begun, lost }).toEqual({ begun: [1, 2, 3, 4], lost: [2] })
})

test('after a timeout nothing more is begun: a batch waits about as long as one command', async () => {
  const lost: [number, CacheError][] = []
  const begun: number[] = []
  const task = async (chunk: number): Promise<void> => {
    begun.push(chunk)
    if (chunk === 2) throw timeout
  }
  await eachChunk([1, 2, 3, 4], 1, task, (chunk, error) => lost.push([chunk, error]))
  expect(begun).toEqual([1, 2])
  expect(lost).toEqual([2, 3, 4].map(chunk => [chunk, timeout]))
})

test('a mistake in the code is not taken for a failure of Redis', async () => {
  const task = async (): Promise<void> => {
    throw new TypeError('a bug')
  }
  await expect(eachChunk([1], 1, task, () => {})).rejects.toThrow('a bug')
})
