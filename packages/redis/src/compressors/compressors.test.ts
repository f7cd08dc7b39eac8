import { CacheError } from '@cache/core'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { resolveValueOptions } from '../codec-options.ts'
import type { Compressor } from './compressor.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { COMPRESSORS, zlibCompressor } from './zlib.ts'

const ALL: readonly (readonly [string, Compressor])[] = [
  ...COMPRESSORS,
  [lz4.name, lz4],
  [snappy.name, snappy],
]
const MEGABYTE = 1 << 20

/** Words and numbers by turns. */
function textOf(length: number): Buffer {
  const words = Array.from({ length: Math.ceil(length / 10) }, (_, i) => `item ${(i * 7_919) % 10_007},    `)
  return Buffer.from(words.join('').slice(0, length))
}

function asynchronous({
  compressAsync,
  decompressAsync,
}: Compressor): Required<Pick<Compressor, 'compressAsync' | 'decompressAsync'>> {
  if (compressAsync && decompressAsync) return { compressAsync, decompressAsync }
  throw new Error('it only works synchronously')
}

test('ids and names are those of the wire format', () => {
  expect(ALL.map(([, { id, name }]) => [id, name])).toEqual([
    [1, 'deflate'],
    [2, 'gzip'],
    [3, 'brotli'],
    [4, 'zstd'],
    [5, 'lz4'],
    [6, 'snappy'],
  ])
})

describe.each(ALL)('%s', (_name, compressor) => {
  let bomb: Uint8Array
  beforeAll(() => {
    bomb = compressor.compress(Buffer.alloc(200 * MEGABYTE))
  })

  test('gives back what it got', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(200), (bytes, times) => {
        const raw = Buffer.concat(Array.from({ length: 1 + (times % 5) }, () => bytes))
        const packed = compressor.compress(raw)
        expect(Buffer.from(compressor.decompress(packed, Math.max(raw.length, 1)))).toEqual(raw)
      }),
      { numRuns: 100 },
    )
  })

  test('gives back a part of a larger buffer, and takes one', () => {
    const pool = Buffer.alloc(MEGABYTE, 'pool')
    const raw = new Uint8Array(pool.buffer, pool.byteOffset + 5, 5_000)
    const packed = compressor.compress(raw)
    const padded = Buffer.concat([Buffer.from('xxx'), packed, Buffer.from('yyy')])
    const view = new Uint8Array(padded.buffer, padded.byteOffset + 3, packed.length)
    expect(Buffer.from(compressor.decompress(view, 5_000))).toEqual(Buffer.from(raw))
  })

  test('does not unpack a bomb, by a byte or by gigabytes, and does not allocate for it', () => {
    const before = process.memoryUsage().rss
    for (const limit of [1, 1_000, MEGABYTE, 20 * MEGABYTE]) {
      expect(() => compressor.decompress(bomb, limit)).toThrow()
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(90 * MEGABYTE)
    const small = compressor.compress(Buffer.alloc(1_001))
    expect(() => compressor.decompress(small, 1_000)).toThrow()
    expect(compressor.decompress(small, 1_001)).toHaveLength(1_001)
  })

  test('gives back what it got on the thread pool, whichever way it was packed', async () => {
    const { compressAsync, decompressAsync } = asynchronous(compressor)
    for (const length of [1, 100, 5_000, 300_000, 2.5 * MEGABYTE]) {
      const raw = textOf(length)
      const packed = await compressAsync(raw)
      expect(Buffer.from(await decompressAsync(compressor.compress(raw), length)).equals(raw)).toBe(true)
      expect(Buffer.from(compressor.decompress(packed, length)).equals(raw)).toBe(true)
      expect(Buffer.from(await decompressAsync(packed, length)).equals(raw)).toBe(true)
    }
  })

  test('does not unpack a bomb on the thread pool either, nor allocate for it', async () => {
    const { decompressAsync } = asynchronous(compressor)
    const before = process.memoryUsage().rss
    for (const limit of [1, 1_000, MEGABYTE, 20 * MEGABYTE]) {
      await expect(decompressAsync(bomb, limit)).rejects.toThrow()
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(90 * MEGABYTE)
    const small = compressor.compress(Buffer.alloc(1_001))
    await expect(decompressAsync(small, 1_000)).rejects.toThrow()
    expect(await decompressAsync(small, 1_001)).toHaveLength(1_001)
  })

  test('makes the same of damaged bytes on the thread pool: as many bytes, or an error', async () => {
    const { decompressAsync } = asynchronous(compressor)
    const raw = textOf(3_000)
    const packed = Buffer.from(compressor.compress(raw))
    await fc.assert(
      fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(packed)
        damaged[at] = (damaged[at] as number) ^ change
        let expected: number | undefined
        try {
          expected = compressor.decompress(damaged, raw.length).length
        } catch {}
        const length = decompressAsync(damaged, raw.length).then(
          result => result.length,
          () => undefined,
        )
        expect(await length).toBe(expected)
      }),
      { numRuns: 200 },
    )
  })

  test('throws on bytes that are not its own or cut off, or gives another length', () => {
    const raw = Buffer.from('abcabcabc'.repeat(100))
    const packed = compressor.compress(raw)
    for (const bytes of [Buffer.alloc(0), Buffer.from('?'), Buffer.alloc(50, 0xff), packed.subarray(0, 8)]) {
      let length = -1
      try {
        length = compressor.decompress(bytes, raw.length).length
      } catch {}
      expect(length).toBeLessThan(raw.length)
    }
  })
})

describe('claims of a length', () => {
  test('that lz4 and snappy would allocate are checked first', () => {
    const before = process.memoryUsage().rss
    const gigabytes = Buffer.from('ffffff7f0011', 'hex')
    for (let i = 0; i < 5; i++) {
      expect(() => lz4.decompress(gigabytes, MEGABYTE)).toThrow('too large')
      expect(() => snappy.decompress(Buffer.from('ffffffff0f0011', 'hex'), MEGABYTE)).toThrow('too large')
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * MEGABYTE)
    expect(() => snappy.decompress(Buffer.from('ffffffffffff', 'hex'), MEGABYTE)).toThrow('no length')
  })

  test.runIf(COMPRESSORS.has('zstd'))(
    'of a zstd window above 8 MiB are refused, unless the value is as long',
    () => {
      const zstd = zlibCompressor('zstd')
      // A frame that asks for a window of 128 MiB for three bytes.
      const greedy = Buffer.from('28b52ffd0088190000616263', 'hex')
      expect(() => zstd.decompress(greedy, 3)).toThrow()
      expect(Buffer.from(zstd.decompress(Buffer.from('28b52ffd0068190000616263', 'hex'), 3)).toString()).toBe(
        'abc',
      )
      const long = Buffer.alloc(9 * MEGABYTE + 1, 'long')
      expect(zstd.decompress(zlibCompressor('zstd', 19).compress(long), long.length)).toHaveLength(
        long.length,
      )
    },
  )
})

test.runIf(COMPRESSORS.has('zstd'))(
  'what zstd writes on the thread pool at its highest level asks for no window that is refused',
  async () => {
    const zstd = zlibCompressor('zstd', 22)
    const raw = textOf(200_000)
    const packed = await asynchronous(zstd).compressAsync(raw)
    expect(Buffer.from(zstd.decompress(packed, raw.length)).equals(raw)).toBe(true)
  },
)

describe('levels', () => {
  const text = Buffer.from(
    JSON.stringify(Array.from({ length: 2_000 }, (_, i) => ({ i, name: `item ${i % 77}` }))),
  )

  test.each([
    ['zstd', 1, 19],
    ['brotli', 0, 11],
    ['gzip', 1, 9],
    ['deflate', 1, 9],
  ] as const)('%s tries harder at a higher level', (name, low, high) => {
    const [small, large] = [high, low].map(level => zlibCompressor(name, level).compress(text).length)
    expect(small).toBeLessThan(large as number)
  })

  test.each([
    ['zstd', 0],
    ['zstd', 23],
    ['brotli', 12],
    ['brotli', -1],
    ['gzip', 10],
    ['deflate', 1.5],
  ] as const)('%s refuses level %d', (name, level) => {
    expect(() => zlibCompressor(name, level)).toThrow(/compression\.level must be an integer/)
  })
})

describe('options', () => {
  const own: Compressor = { ...lz4, id: 16, name: 'own' }
  const options = (compression: object) => () => resolveValueOptions({ compression })

  test('take a compressor by its name or itself', () => {
    expect(options({ algorithm: 'gzip' })().compressor).toMatchObject({ id: 2 })
    expect(options({ algorithm: lz4 })().compressor).toBe(lz4)
    expect(options({ algorithm: own, reads: [snappy] })()).toMatchObject({ decompressors: [snappy] })
    expect(options({ algorithm: 'none' })().compressor).toBeUndefined()
  })

  test.each([
    ['compression.algorithm', { algorithm: { id: 16 } }],
    ['compression.algorithm', { algorithm: null }],
    ['compression.algorithm.id', { algorithm: { ...own, id: 5 } }],
    ['compression.algorithm.id', { algorithm: { ...own, id: 256 } }],
    ['compression.level', { algorithm: lz4, level: 1 }],
    ['compression.algorithm.compressAsync', { algorithm: { ...own, compressAsync: true } }],
    ['compression.reads[0].decompressAsync', { reads: [{ ...own, decompressAsync: null }] }],
    ['compression.reads', { reads: lz4 }],
    ['compression.reads[1]', { reads: [lz4, {}] }],
    ['compression.reads', { algorithm: own, reads: [{ ...own, name: 'other' }] }],
  ])('refuse a wrong %s', (name, compression) => {
    let error: unknown
    try {
      options(compression)()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(CacheError)
    expect((error as CacheError).code).toBe('INVALID_OPTION')
    expect((error as CacheError).message).toMatch(
      new RegExp(`^${name.replaceAll(/[[\]]/g, '\\$&')} must be `),
    )
  })
})
