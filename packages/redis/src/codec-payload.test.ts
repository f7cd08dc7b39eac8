import { CacheError } from '@cache/core'
import { describe, expect, test } from 'vitest'
import { resolveValueOptions, type ValueOptions } from './codec-options.ts'
import { ASYNC_BYTES, type Payload, PayloadCodec, SMALL_BYTES } from './codec-payload.ts'
import type { Compressor } from './compressors/compressor.ts'
import { lz4 } from './compressors/lz4.ts'
import { snappy } from './compressors/snappy.ts'
import { COMPRESSORS, zlibCompressor } from './compressors/zlib.ts'
import { json } from './serializers/json.ts'

const SECRET = 'hunter2'
const LARGE = { text: 'a long text '.repeat(20_000) }
const SMALL = { text: 'a long text '.repeat(200) }
const MEGABYTE = 1 << 20
const ALL: readonly (readonly [string, Compressor])[] = [
  ...COMPRESSORS,
  [lz4.name, lz4],
  [snappy.name, snappy],
]

const codecOf = (options: ValueOptions): PayloadCodec => new PayloadCodec(resolveValueOptions(options))
const codecWith = (compressor: Compressor): PayloadCodec =>
  codecOf({ compression: { algorithm: compressor } })

async function errorOf(promise: Promise<unknown>): Promise<CacheError> {
  const thrown = await promise.then(
    () => new Error('it was accepted'),
    (reason: unknown) => reason,
  )
  if (thrown instanceof CacheError) return thrown
  throw thrown
}

/** How often the event loop came round while `run` was under way. */
async function turnsDuring(run: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let running = true
  const count = (): void => {
    turns++
    if (running) setImmediate(count)
  }
  setImmediate(count)
  await run()
  running = false
  return turns
}

describe.each(ALL)('%s', (name, compressor) => {
  const algorithm = zlibAlgorithm(name) ?? compressor
  const codec = codecOf({ compression: { algorithm, threshold: 0 } })

  test('packs and unpacks large values without holding the event loop, and to the same effect', async () => {
    const raw = codec.serialize(LARGE)
    expect(codec.packsAsync(raw.length)).toBe(true)
    let packed: Payload | undefined
    const packing = await turnsDuring(async () => {
      packed = await codec.packAsync(raw)
    })
    expect(packing).toBeGreaterThan(0)
    expect(packed).toEqual(codec.pack(raw))
    expect(codec.unpacksAsync(packed as Payload)).toBe(true)
    const unpacking = await turnsDuring(async () => {
      expect(await codec.unpackAsync(packed as Payload)).toEqual(LARGE)
    })
    expect(unpacking).toBeGreaterThan(0)
    expect(codec.unpack(packed as Payload)).toEqual(LARGE)
  })

  test('is a miss on the thread pool if more or less comes out than was claimed', async () => {
    const packed = codec.pack(codec.serialize(LARGE))
    for (const rawLength of [packed.rawLength - 1, packed.rawLength + 1, 2 * packed.rawLength]) {
      expect((await errorOf(codec.unpackAsync({ ...packed, rawLength }))).code).toBe('CORRUPT')
    }
    const tooLarge = codecOf({
      compression: { reads: readable(compressor) },
      limits: { maxValueBytes: 1_000 },
    })
    const error = await errorOf(tooLarge.unpackAsync(packed))
    expect(error.message).toContain('it claims to be too large')
  })

  test('does not unpack bombs on the thread pool, however many', async () => {
    const payload = compressor.compress(Buffer.alloc(100 * MEGABYTE))
    const bomb = { serializer: 1, compressor: compressor.id, rawLength: MEGABYTE, payload }
    expect(codec.unpacksAsync(bomb)).toBe(true)
    const before = process.memoryUsage().rss
    const errors = await Promise.all(Array.from({ length: 40 }, () => errorOf(codec.unpackAsync(bomb))))
    expect(process.memoryUsage().rss - before).toBeLessThan(90 * MEGABYTE)
    expect(new Set(errors.map(({ code, cause }) => [code, cause].join()))).toEqual(new Set(['CORRUPT,']))
  })
})

describe('the choice between both ways', () => {
  const codec = codecOf({})

  test('is synchronous while values are small', () => {
    expect([0, 1_025, ASYNC_BYTES].map(length => codec.packsAsync(length))).toEqual([false, false, false])
    expect(codec.packsAsync(ASYNC_BYTES + 1)).toBe(true)
    const packed = codec.pack(codec.serialize(SMALL))
    expect(packed.compressor).not.toBe(0)
    expect(codec.unpacksAsync(packed)).toBe(false)
  })

  test('is synchronous for what is not compressed, or by those who cannot do otherwise', () => {
    expect(codecOf({ compression: { algorithm: 'none' } }).packsAsync(MEGABYTE)).toBe(false)
    expect(codecOf({ compression: { threshold: 2 * MEGABYTE } }).packsAsync(MEGABYTE)).toBe(false)
    expect(codec.unpacksAsync({ compressor: 0, rawLength: MEGABYTE, payload: Buffer.alloc(MEGABYTE) })).toBe(
      false,
    )
    const { compressAsync: _c, decompressAsync: _d, ...plain } = { ...lz4, id: 20, name: 'own' }
    const own = codecWith(plain)
    expect(own.packsAsync(MEGABYTE)).toBe(false)
    expect(own.unpacksAsync({ compressor: 20, rawLength: MEGABYTE, payload: Buffer.alloc(9) })).toBe(false)
  })

  test('is not misled by many bytes that claim to become few', () => {
    const payload = Buffer.alloc(ASYNC_BYTES + 1)
    expect(codec.unpacksAsync({ compressor: 1, rawLength: 10, payload })).toBe(true)
  })

  test('does not matter to what comes out', async () => {
    for (const options of [{}, { compression: { algorithm: 'none' } }] as const) {
      for (const value of [SMALL, LARGE, 'short', null]) {
        const either = codecOf(options)
        const raw = either.serialize(value)
        const packed = await either.packAsync(raw)
        expect(packed).toEqual(either.pack(raw))
        expect(await either.unpackAsync(packed)).toEqual(value)
      }
    }
    const noise = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, () => Math.random())))
    const hard = codecWith({ ...zlibCompressor('deflate', 0), id: 21, name: 'stored' })
    expect(await hard.packAsync(noise)).toMatchObject({ compressor: 0, rawLength: noise.length })
  })
})

describe('asynchronous compressors of others', () => {
  const own = (over: Partial<Compressor>): Compressor => ({
    ...zlibCompressor('deflate'),
    id: 20,
    name: 'own',
    ...over,
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error(SECRET)
      },
      'the compressor own failed',
    ],
    ['rejects', () => Promise.reject(new Error(SECRET)), 'the compressor own failed'],
    ['answers a string', async () => SECRET as never, 'the compressor own must return a Uint8Array'],
  ])('one that %s is told of without its words', async (_what, compressAsync, message) => {
    const codec = codecWith(own({ compressAsync }))
    const error = await errorOf(codec.packAsync(codec.serialize(LARGE)))
    expect({ code: error.code, message: error.message, cause: error.cause }).toEqual({
      code: 'SERIALIZATION',
      message,
      cause: undefined,
    })
  })

  test.each([
    [
      'throws',
      () => {
        throw new CacheError('STORE', SECRET)
      },
    ],
    ['rejects', () => Promise.reject(SECRET)],
    ['answers a string of the right length', async () => 'x'.repeat(JSON.stringify(LARGE).length) as never],
    ['answers nothing', async () => undefined as never],
    ['answers too much', async () => new Uint8Array(999_999)],
  ])('one that %s is a miss when it reads, synchronously too', async (_what, decompressAsync) => {
    const codec = codecWith(own({ decompressAsync }))
    const packed = codec.pack(codec.serialize(LARGE))
    const error = await errorOf(codec.unpackAsync(packed))
    expect([error.code, error.cause]).toEqual(['CORRUPT', undefined])
    expect(error.message).not.toContain(SECRET)
  })

  test('may be synchronous and answer nonsense: a miss as well', () => {
    for (const nonsense of [undefined, null, 5, 'x'.repeat(JSON.stringify(LARGE).length)]) {
      const codec = codecWith(own({ decompress: () => nonsense as never }))
      const packed = codec.pack(codec.serialize(LARGE))
      expect(() => codec.unpack(packed)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    }
  })
})

test('a serializer of the user may write the next value into the same bytes', async () => {
  const shared = Buffer.alloc(MEGABYTE)
  const reusing = {
    id: 20,
    name: 'reusing',
    encode: (value: unknown) => shared.subarray(0, shared.write(JSON.stringify(value))),
    decode: json.decode,
  }
  const codec = codecOf({ serializer: reusing })
  const values = Array.from({ length: 6 }, (_, i) => ({ text: `large text ${i} `.repeat(20_000) }))
  const packing = values.map(value => codec.packAsync(codec.serialize(value)))
  shared.fill(0)
  const packed = await Promise.all(packing)
  expect(await Promise.all(packed.map(each => codec.unpackAsync(each)))).toEqual(values)
})

function zlibAlgorithm(name: string): 'zstd' | 'brotli' | 'gzip' | 'deflate' | undefined {
  return (['zstd', 'brotli', 'gzip', 'deflate'] as const).find(each => each === name)
}

/** zlib's are always read. */
function readable(compressor: Compressor): Compressor[] {
  return COMPRESSORS.has(compressor.name) ? [] : [compressor]
}

test('who names no algorithm gets brotli for small values and zstd for larger ones; a named one, or a level, is for all', () => {
  const usedFor = (compression: ValueOptions['compression'], bytes: number): string | undefined => {
    const codec = codecOf(compression ? { compression } : {})
    const { compressor } = codec.pack(Buffer.alloc(bytes, 'a long text '))
    return [...COMPRESSORS.values()].find(({ id }) => id === compressor)?.name
  }
  expect(usedFor(undefined, 1_024)).toBeUndefined()
  expect(usedFor(undefined, 1_025)).toBe('brotli')
  expect(usedFor(undefined, SMALL_BYTES)).toBe('brotli')
  expect(usedFor({ threshold: 100 }, SMALL_BYTES + 1)).toBe('zstd')
  expect(usedFor({ algorithm: 'zstd' }, 1_025)).toBe('zstd')
  expect(usedFor({ level: 3 }, 1_025)).toBe('zstd')
  expect(usedFor({ algorithm: 'gzip' }, 1_025)).toBe('gzip')
  expect(usedFor({ algorithm: 'none' }, 1_025)).toBeUndefined()
})
