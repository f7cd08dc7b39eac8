import zlib from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import { Slots, slotsOf } from './thread-pool.ts'
import { zlibCompressor } from './zlib.ts'

type Done = (error: Error | null, result: Buffer) => void

afterEach(() => vi.restoreAllMocks())

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('half of the threads are left to others, and one at least is taken', () => {
  expect(slotsOf(undefined)).toBe(2)
  expect(['16', '5', '2', '1', '0', 'many', '-3'].map(slotsOf)).toEqual([8, 2, 1, 1, 1, 1, 1])
})

test('so many jobs run at once, the others in the order in which they came', async () => {
  const slots = new Slots(2)
  const started: number[] = []
  const finish: (() => void)[] = []
  const jobs = Array.from({ length: 5 }, (_, i) =>
    slots.run(async () => {
      started.push(i)
      await new Promise<void>(resolve => {
        finish[i] = resolve
      })
      return i
    }),
  )
  await turn()
  expect(started).toEqual([0, 1])
  finish[1]?.()
  await turn()
  expect(started).toEqual([0, 1, 2])
  for (const i of [0, 2]) finish[i]?.()
  await turn()
  expect(started).toEqual([0, 1, 2, 3, 4])
  for (const i of [3, 4]) finish[i]?.()
  expect(await Promise.all(jobs)).toEqual([0, 1, 2, 3, 4])
})

test('a job that fails, or throws at once, gives its place to the next', async () => {
  const slots = new Slots(1)
  const failing = [
    slots.run(async () => {
      throw new Error('later')
    }),
    slots.run(() => {
      throw new Error('at once')
    }),
  ]
  const outcomes = await Promise.allSettled([...failing, slots.run(async () => 'done')])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
  expect(await slots.run(async () => 'again')).toBe('again')
})

test('zlib gets no more of the threads, however many values there are', async () => {
  const real = zlib.brotliCompress as (...args: unknown[]) => void
  let running = 0
  let most = 0
  vi.spyOn(zlib, 'brotliCompress').mockImplementation(((bytes: Buffer, options: object, done: Done) => {
    most = Math.max(most, ++running)
    real(bytes, options, (error: Error | null, result: Buffer) => {
      running--
      done(error, result)
    })
  }) as never)
  const brotli = zlibCompressor('brotli')
  const raw = Buffer.alloc(100_000, 'text ')
  const packed = await Promise.all(Array.from({ length: 20 }, () => brotli.compressAsync?.(raw)))
  expect(new Set(packed.map(each => each?.length)).size).toBe(1)
  expect(most).toBe(slotsOf(process.env.UV_THREADPOOL_SIZE))
})
