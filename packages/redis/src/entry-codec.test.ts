import { type Awaitable, CacheError, type Entry, isPending } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Compressor } from './compressors/compressor.ts'
import { COMPRESSORS } from './compressors/zlib.ts'
import { EntryCodec, type EntryCodecOptions } from './entry-codec.ts'
import { packEnvelope, stampOf, unpackEnvelope } from './envelope.ts'
import { json } from './serializers/json.ts'
import { isPolluted } from './serializers/pollution.ts'

const TIMES = { createdAt: 1, freshUntil: 2, expiresAt: 3 }
const ALGORITHMS = [...COMPRESSORS.keys()]
const MAX = 60_000

/** A codec of values so small that it answers at once. */
function codec(options: Partial<EntryCodecOptions> = {}) {
  const own = wholeCodec(options)
  return {
    encode: (entry: Entry): Buffer => atOnce(own.encode(entry, 7)),
    decode: (bytes: Buffer): Entry => atOnce(own.decode(bytes)),
  }
}

function wholeCodec(options: Partial<EntryCodecOptions> = {}): EntryCodec {
  return new EntryCodec({
    serializer: json,
    compressor: COMPRESSORS.get('zstd'),
    threshold: 1_024,
    maxValueBytes: MAX,
    ...options,
  })
}

function atOnce<T>(result: Awaitable<T>): T {
  if (isPending(result)) throw new Error('it did not answer at once')
  return result
}

const of = (value: unknown, more: Partial<Entry> = {}): Entry => ({ value, ...TIMES, ...more })
const envelopeOf = (bytes: Buffer) => unpackEnvelope(bytes, MAX)
/** A value whose JSON is exactly `bytes` long, and compresses well. */
const ofLength = (bytes: number): string => 'a'.repeat(bytes - 2)

function codeOf(fn: () => unknown): string | undefined {
  try {
    fn()
    return undefined
  } catch (thrown) {
    return thrown instanceof CacheError ? thrown.code : `not a CacheError: ${thrown}`
  }
}

/** An envelope as an attacker would write it. */
function forged(fields: Partial<Parameters<typeof packEnvelope>[0]>): Buffer {
  const payload = fields.payload ?? Buffer.from('1')
  return packEnvelope({
    serializer: 1,
    compressor: 0,
    ...TIMES,
    rawLength: payload.length,
    stamp: 7,
    header: Buffer.alloc(0),
    payload,
    ...fields,
  })
}

describe('an entry', () => {
  test('comes back as JSON keeps it, with every algorithm', () => {
    for (const algorithm of ALGORITHMS) {
      const own = codec({ compressor: COMPRESSORS.get(algorithm), threshold: 0 })
      fc.assert(
        fc.property(fc.jsonValue(), value => {
          fc.pre(!isPolluted(value))
          expect(own.decode(own.encode(of(value)))).toEqual(of(JSON.parse(JSON.stringify(value))))
        }),
        { numRuns: 200 },
      )
    }
  })

  test.each([0, '', false, null, [], {}])('keeps the falsy or empty value %j', value => {
    expect(codec().decode(codec().encode(of(value)))).toEqual(of(value))
  })

  test('keeps tags and metadata, and has neither if it had none', () => {
    const tagged = of(1, { tags: ['a', 'ü'], metadata: { source: 'db', n: 1 } })
    expect(codec().decode(codec().encode(tagged))).toEqual(tagged)
    expect(Object.keys(codec().decode(codec().encode(of(1))))).toEqual(['value', ...Object.keys(TIMES)])
  })
})

describe('a large value', () => {
  const limits = { maxValueBytes: 10_000_000 }

  test.each(ALGORITHMS)('comes back by %s, both ways beside the event loop', async algorithm => {
    const own = wholeCodec({ compressor: COMPRESSORS.get(algorithm), ...limits })
    const entry = of(ofLength(1_000_000), { tags: ['t'] })
    const encoded = own.encode(entry, 7)
    expect(isPending(encoded)).toBe(true)
    const bytes = await encoded
    expect(stampOf(bytes)).toBe(7)
    const decoded = own.decode(bytes)
    expect(isPending(decoded)).toBe(true)
    expect(await decoded).toEqual(entry)
  })

  test('is refused at once if it is too large', () => {
    expect(codeOf(() => wholeCodec().encode(of(ofLength(1_000_000)), 7))).toBe('INVALID_VALUE')
  })

  test.each(ALGORITHMS)('that is a bomb of %s is refused later, and does not grow', async algorithm => {
    const own = wholeCodec(limits)
    const compressor = COMPRESSORS.get(algorithm)
    const payload = compressor?.compress(Buffer.alloc(50_000_000, 0x20)) as Buffer
    const before = process.memoryUsage().rss
    const bytes = forged({ compressor: compressor?.id ?? 0, rawLength: 1_000_000, payload })
    await expect(async () => own.decode(bytes)).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000)
  })
})

describe('compression', () => {
  test('begins above the threshold', () => {
    expect(envelopeOf(codec().encode(of(ofLength(1_024)))).compressor).toBe(0)
    expect(envelopeOf(codec().encode(of(ofLength(1_025)))).compressor).toBe(4)
  })

  test('counts bytes, not characters', () => {
    expect(envelopeOf(codec().encode(of('ü'.repeat(600)))).compressor).toBe(4)
  })

  test('is kept only if it saves a tenth', () => {
    const to = (bytes: number) => ({
      ...(COMPRESSORS.get('gzip') as Compressor),
      compress: () => Buffer.alloc(bytes),
    })
    const value = ofLength(2_000)
    expect(envelopeOf(codec({ compressor: to(1_800) }).encode(of(value))).compressor).toBe(2)
    const plain = codec({ compressor: to(1_801) }).encode(of(value))
    expect(envelopeOf(plain)).toMatchObject({ compressor: 0, rawLength: 2_000 })
    expect(codec().decode(plain).value).toBe(value)
  })

  test('can be changed without losing what is stored', () => {
    const value = ofLength(5_000)
    for (const writer of ALGORITHMS) {
      const bytes = codec({ compressor: COMPRESSORS.get(writer) }).encode(of(value))
      expect(envelopeOf(bytes).compressor).toBe(COMPRESSORS.get(writer)?.id)
      for (const reader of [undefined, ...ALGORITHMS.map(name => COMPRESSORS.get(name))]) {
        expect(codec({ compressor: reader }).decode(bytes).value).toBe(value)
      }
    }
  })
})

describe('what is written', () => {
  test('is refused above maxValueBytes, and not below', () => {
    const own = codec({ maxValueBytes: 100 })
    expect(codeOf(() => own.encode(of(ofLength(100))))).toBeUndefined()
    expect(codeOf(() => own.encode(of(ofLength(101))))).toBe('INVALID_VALUE')
  })

  test('can be read by those who know its serializer, and is a miss to others', () => {
    const upper = {
      id: 77,
      name: 'upper',
      encode: (value: unknown) => Buffer.from(String(value).toUpperCase()),
      decode: (bytes: Buffer) => bytes.toString(),
    }
    const own = codec({ serializer: upper })
    expect(own.decode(own.encode(of('abc'))).value).toBe('ABC')
    expect(own.decode(codec().encode(of('abc'))).value).toBe('abc')
    expect(codeOf(() => codec().decode(own.encode(of('abc'))))).toBe('CORRUPT')
  })
})

describe('bytes of unknown origin', () => {
  test.each(ALGORITHMS)('cannot make a %s payload grow beyond what it claims', algorithm => {
    const compressor = COMPRESSORS.get(algorithm)
    const bomb = compressor?.compress(Buffer.alloc(50_000_000, 0x20)) as Buffer
    for (const rawLength of [0, 1, 1_000, MAX]) {
      const before = process.memoryUsage().rss
      const bytes = forged({ compressor: compressor?.id ?? 0, rawLength, payload: bomb })
      expect(codeOf(() => codec().decode(bytes))).toBe('CORRUPT')
      expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000)
    }
  })

  test.each(ALGORITHMS)('are refused if a %s payload yields less than it claims', algorithm => {
    const compressor = COMPRESSORS.get(algorithm)
    const payload = compressor?.compress(Buffer.from('"abc"')) as Buffer
    const bytes = forged({ compressor: compressor?.id ?? 0, rawLength: 6, payload })
    expect(codeOf(() => codec().decode(bytes))).toBe('CORRUPT')
  })

  test.each([
    ['an unknown serializer', forged({ serializer: 99 })],
    ['an unknown compressor', forged({ compressor: 99 })],
    ['a length that is not the payload’s', forged({ rawLength: 2 })],
    ['a payload that is not JSON', forged({ payload: Buffer.from('{"a":') })],
    ['an empty payload', forged({ payload: Buffer.alloc(0) })],
    ['a header that is not JSON', forged({ header: Buffer.from('{') })],
    ['a header that is not an object', forged({ header: Buffer.from('[]') })],
    ['a header that is null', forged({ header: Buffer.from('null') })],
    ['tags that are not a list', forged({ header: Buffer.from('{"tags":"a"}') })],
    ['tags that are not strings', forged({ header: Buffer.from('{"tags":["a",1]}') })],
    ['metadata that is not an object', forged({ header: Buffer.from('{"metadata":[]}') })],
  ])('are refused with %s', (_what, bytes) => {
    expect(codeOf(() => codec().decode(bytes))).toBe('CORRUPT')
  })

  test.each([
    '{"__proto__":{"tags":["evil"],"value":"evil"}}',
    '{"metadata":{"a":{"__proto__":{"evil":1}}}}',
    '{"metadata":{"\\u005f_proto__":{"evil":1}}}',
    '{"metadata":{"constructor":{"prototype":{"evil":1}}}}',
  ])('are refused with the header %s', header => {
    expect(codeOf(() => codec().decode(forged({ header: Buffer.from(header) })))).toBe('CORRUPT')
    expect('evil' in {}).toBe(false)
  })

  test('cannot set a value or a time through its header', () => {
    const header = Buffer.from('{"value":"evil","expiresAt":9,"tags":["a"]}')
    expect(codec().decode(forged({ header }))).toEqual({ value: 1, ...TIMES, tags: ['a'] })
  })

  test('are CORRUPT if they are random', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        bytes => codeOf(() => codec().decode(Buffer.from(bytes))) === 'CORRUPT',
      ),
      { numRuns: 5_000 },
    )
  })
})
