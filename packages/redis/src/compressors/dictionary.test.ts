import { readFileSync } from 'node:fs'
import zlib from 'node:zlib'
import { CacheError } from '@cache/core'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCodec } from '../codec.ts'
import { type Compression, resolveValueOptions } from '../codec-options.ts'
import { PayloadCodec } from '../codec-payload.ts'
import { DICTIONARY_ALGORITHMS, takesDictionaries } from './dictionary.ts'

const MEGABYTE = 1 << 20
const ALGORITHMS = DICTIONARY_ALGORITHMS.filter(takesDictionaries)
const NAMED = { zstd: 7, deflate: 8 } as const

const DICTIONARY = Buffer.from(
  '{"id":1,"status":"open","customer":{"name":"Ann Smith","email":"ann@example.com"},"lines":[],"total":',
)
/** As long and of the same letters: nothing but its name gives it away. */
const OTHER = Buffer.from(DICTIONARY).reverse()
const RECORD = {
  id: 7,
  status: 'open',
  customer: { name: 'Bob Smith', email: 'bob@example.com' },
  lines: [],
  total: 12,
}

const payloads = (compression: Compression, maxValueBytes = MEGABYTE): PayloadCodec =>
  new PayloadCodec(resolveValueOptions({ compression, limits: { maxValueBytes } }))

async function errorOf(run: () => unknown): Promise<CacheError> {
  try {
    await run()
  } catch (thrown) {
    if (thrown instanceof CacheError) return thrown
    throw thrown
  }
  throw new Error('it was accepted')
}

afterEach(() => vi.restoreAllMocks())

describe.each(ALGORITHMS)('%s with a dictionary', algorithm => {
  const compression: Compression = { algorithm, dictionary: DICTIONARY, threshold: 0 }
  const codec = payloads(compression)
  const packed = codec.pack(codec.serialize(RECORD))

  test('makes a small record smaller than it is without, and names the dictionary', () => {
    const without = payloads({ algorithm, threshold: 0 })
    const alone = without.pack(without.serialize(RECORD))
    expect(packed.compressor).toBe(NAMED[algorithm])
    expect(packed.payload.length).toBeLessThan(alone.payload.length * 0.7)
    const name = Buffer.from(packed.payload.subarray(0, 4)).toString('hex')
    expect(name).toBe('78366cf7')
    expect(codec.unpack(packed)).toEqual(RECORD)
  })

  test('gives back any bytes, by either way of either', async () => {
    const { compressor } = resolveValueOptions({ compression })
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 600 }),
        fc.integer({ min: 1, max: 300 }),
        async (bytes, times) => {
          const raw = Buffer.concat(Array.from({ length: times }, () => bytes))
          const limit = Math.max(raw.length, 1)
          const small = compressor?.compress(raw) ?? raw
          expect((await compressor?.compressAsync?.(raw)) ?? raw).toEqual(small)
          expect(Buffer.from(compressor?.decompress(small, limit) ?? []).equals(raw)).toBe(true)
          expect(Buffer.from((await compressor?.decompressAsync?.(small, limit)) ?? []).equals(raw)).toBe(
            true,
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  test('is a miss for those who have another one, or none, however they read', async () => {
    const large = codec.pack(Buffer.from(JSON.stringify('large '.repeat(20_000))))
    expect(large.compressor).toBe(packed.compressor)
    for (const each of [packed, large]) {
      const others = payloads({ algorithm, dictionary: OTHER, reads: [Buffer.alloc(99, 'old')] })
      for (const run of [() => others.unpack(each), () => others.unpackAsync(each)]) {
        const { code, message } = await errorOf(run)
        expect([code, message]).toEqual([
          'CORRUPT',
          expect.stringContaining('its dictionary is not known here'),
        ])
      }
      const none = payloads({ algorithm })
      for (const run of [() => none.unpack(each), () => none.unpackAsync(each)]) {
        const { code, message } = await errorOf(run)
        expect([code, message]).toEqual([
          'CORRUPT',
          expect.stringContaining('its compressor is not known here'),
        ])
      }
    }
  })

  test('is read by those who list it among the older ones, whatever they write by', async () => {
    for (const reading of [
      { algorithm, dictionary: OTHER, reads: [Buffer.alloc(99, 'old'), DICTIONARY] },
      { dictionary: OTHER, reads: [DICTIONARY] },
      { algorithm: 'none', reads: [DICTIONARY] },
    ] as const) {
      expect(payloads(reading).unpack(packed)).toEqual(RECORD)
      expect(await payloads(reading).unpackAsync(packed)).toEqual(RECORD)
    }
  })

  test('keeps to what the dictionary was when it was given', () => {
    const mutable = Buffer.from(DICTIONARY)
    const own = payloads({ ...compression, dictionary: mutable })
    mutable.fill(0)
    expect(own.pack(own.serialize(RECORD))).toEqual(packed)
  })

  test('does not unpack a bomb, nor allocates for it', async () => {
    const { compressor } = resolveValueOptions({ compression })
    const bomb = compressor?.compress(Buffer.alloc(200 * MEGABYTE)) ?? Buffer.alloc(0)
    const before = process.memoryUsage().rss
    for (const limit of [1, 1_000, MEGABYTE, 20 * MEGABYTE]) {
      expect(() => compressor?.decompress(bomb, limit)).toThrow()
      await expect(compressor?.decompressAsync?.(bomb, limit)).rejects.toThrow()
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(90 * MEGABYTE)
  })

  test('makes of changed bytes a value or CORRUPT, and nothing else', async () => {
    const { payload } = packed
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(payload.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(payload.length),
        fc.oneof(fc.constant(packed.rawLength), fc.nat(2 ** 32 - 1)),
        async (changes, length, rawLength) => {
          const changed = Buffer.from(payload)
          for (const [at, byte] of changes) changed[at] = byte
          const damaged = { ...packed, rawLength, payload: changed.subarray(0, length || payload.length) }
          const outcome = async (read: () => unknown): Promise<unknown> => {
            try {
              return await read()
            } catch (thrown) {
              if (!(thrown instanceof CacheError)) throw thrown
              expect([thrown.code, thrown.cause]).toEqual(['CORRUPT', undefined])
              return 'CORRUPT'
            }
          }
          expect(await outcome(() => codec.unpackAsync(damaged))).toEqual(
            await outcome(() => codec.unpack(damaged)),
          )
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('works for values kept without an envelope', () => {
    const bytes = createCodec({ compression }).encode(RECORD)
    expect(bytes.length).toBeLessThan(80)
    expect(createCodec({ compression: { reads: [DICTIONARY] } }).decode(bytes)).toEqual(RECORD)
    expect(() => createCodec().decode(bytes)).toThrow('its compressor is not known here')
  })
})

describe('the choice of a dictionary', () => {
  const trained = Buffer.concat([Buffer.from('37a430ec', 'hex'), Buffer.alloc(100, 7)])
  const resolve = (compression: object) => () => resolveValueOptions({ compression })

  test('lowers the threshold, for small records are what it is for', () => {
    expect(resolve({ dictionary: DICTIONARY })().threshold).toBe(64)
    expect(resolve({ dictionary: DICTIONARY, threshold: 500 })().threshold).toBe(500)
    expect(resolve({ reads: [DICTIONARY] })().threshold).toBe(1_024)
  })

  test.runIf(takesDictionaries('zstd'))('is zstd for one that was trained for it', () => {
    const vectors: readonly { dictionary?: string }[] = JSON.parse(
      readFileSync(new URL('../../test/vectors/entries.json', import.meta.url), 'utf8'),
    )
    const real = vectors
      .flatMap(({ dictionary }) => dictionary ?? [])
      .map(each => Buffer.from(each, 'base64'))
      .find(each => each.subarray(0, 4).equals(trained.subarray(0, 4)))
    expect(resolve({ dictionary: real })().compressor).toMatchObject({ id: 7 })
  })

  test('is deflate for content alone, and keeps its level', () => {
    expect(resolve({ dictionary: DICTIONARY })().compressor).toMatchObject({ id: 8 })
    const text = Buffer.from(
      JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ i, name: `item ${(i * i) % 77}` }))),
    )
    const [fast, hard] = [1, 9].map(
      level => resolve({ dictionary: DICTIONARY, level })().compressor?.compress(text).length ?? 0,
    )
    expect(hard).toBeLessThan(fast as number)
  })

  test.each([
    ['compression.dictionary must be', { dictionary: 'text' }],
    ['compression.dictionary must be', { dictionary: null }],
    ['compression.dictionary must be', { dictionary: Buffer.alloc(7) }],
    ['compression.dictionary must be', { dictionary: Buffer.alloc(MEGABYTE + 1) }],
    ['compression.reads[1] must be', { reads: [DICTIONARY, Buffer.alloc(7)] }],
    ['compression.algorithm must be', { dictionary: DICTIONARY, algorithm: 'brotli' }],
    ['compression.algorithm must be', { dictionary: DICTIONARY, algorithm: 'none' }],
    ['compression.level must be', { dictionary: DICTIONARY, level: 10 }],
    ['compression.level must be', { dictionary: DICTIONARY, algorithm: 'deflate', level: -1 }],
  ])('is refused: %s', async (message, compression) => {
    const error = await errorOf(resolve(compression))
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message.startsWith(message)).toBe(true)
  })

  test.runIf(takesDictionaries('zstd'))('is refused if it claims to be trained and is damaged', async () => {
    const error = await errorOf(resolve({ dictionary: trained }))
    expect([error.code, error.cause]).toEqual(['INVALID_OPTION', undefined])
    expect(error.message).toBe('compression.dictionary: zstd finds it damaged')
  })

  test('is refused for zstd on a Node that would take no notice of it, which deflate does not mind', async () => {
    const real = zlib.zstdCompressSync
    if (typeof real !== 'function') return
    vi.spyOn(zlib, 'zstdCompressSync').mockImplementation((bytes, options) =>
      real(bytes, { params: options?.params }),
    )
    const error = await errorOf(resolve({ dictionary: DICTIONARY, algorithm: 'zstd' }))
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toContain("this Node's zstd takes none")
    expect(resolve({ dictionary: trained })().compressor).toMatchObject({ id: 8 })
    expect(resolve({ reads: [DICTIONARY] })().decompressors.map(({ id }) => id)).toEqual([8])
  })

  test('is refused if two of them have one name', async () => {
    // Found by trying: both SHA-256 begin with 4b415c8a.
    const [one, two] = [Buffer.from('dictionary 76850'), Buffer.from('dictionary 80023')]
    const error = await errorOf(resolve({ dictionary: one, reads: [two] }))
    expect(error).toMatchObject({ code: 'INVALID_OPTION' })
    expect(error.message).toMatch(/^compression\.reads must be without two dictionaries/)
    expect(resolve({ dictionary: one, reads: [one] })().compressor).toMatchObject({ id: 8 })
  })
})
