import { CacheError } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCodec } from './codec.ts'
import type { ValueOptions } from './codec-options.ts'
import { lz4 } from './compressors/lz4.ts'
import { snappy } from './compressors/snappy.ts'
import { devalue } from './serializers/devalue.ts'
import { json } from './serializers/json.ts'
import { isPolluted } from './serializers/pollution.ts'
import { v8 } from './serializers/v8.ts'

const SECRET = 'hunter2'
const LONG = { text: 'a long text '.repeat(500) }

function errorOf(run: () => unknown): CacheError {
  try {
    run()
  } catch (thrown) {
    if (thrown instanceof CacheError) return thrown
    throw thrown
  }
  throw new Error('it was accepted')
}

describe('a codec', () => {
  test('gives back what its serializer keeps', () => {
    const codec = createCodec({ compression: { threshold: 20 } })
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        fc.pre(!isPolluted(value))
        expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('keeps its layout: what is kept today is read tomorrow', () => {
    expect(Buffer.from(createCodec().encode('ü')).toString('hex')).toBe('0101000000000004' + '22c3bc22')
  })

  test.each([['zstd'], ['brotli'], ['gzip'], ['deflate'], [lz4], [snappy]] as const)(
    'compresses by %o',
    algorithm => {
      const codec = createCodec({ compression: { algorithm } })
      const bytes = codec.encode(LONG)
      expect(bytes.length).toBeLessThan(500)
      expect(codec.decode(bytes)).toEqual(LONG)
      expect(codec.decode(new Uint8Array(bytes))).toEqual(LONG)
    },
  )

  test('reads what other serializers and compressors wrote, if told so', () => {
    const bytes = createCodec({ serializer: devalue, compression: { algorithm: lz4 } }).encode(
      new Map([[1, LONG]]),
    )
    const reading: ValueOptions = { reads: [devalue], compression: { reads: [lz4] } }
    expect(createCodec(reading).decode(bytes)).toEqual(new Map([[1, LONG]]))
    expect(errorOf(() => createCodec({ reads: [devalue] }).decode(bytes)).code).toBe('CORRUPT')
    expect(errorOf(() => createCodec({ compression: { reads: [lz4] } }).decode(bytes)).code).toBe('CORRUPT')
  })

  test('never reads v8 unless told so, and JSON always', () => {
    expect(errorOf(() => createCodec().decode(createCodec({ serializer: v8 }).encode(1))).code).toBe(
      'CORRUPT',
    )
    expect(createCodec({ serializer: v8 }).decode(createCodec().encode(1))).toBe(1)
  })

  test('has the limits of its options, in both directions', () => {
    const small = createCodec({ limits: { maxValueBytes: 10 } })
    expect(small.decode(small.encode('12345678'))).toBe('12345678')
    expect(errorOf(() => small.encode('123456789')).code).toBe('INVALID_VALUE')
    expect(errorOf(() => small.decode(createCodec().encode('123456789'))).code).toBe('CORRUPT')
  })

  test.each([
    ['nothing', ''],
    ['too little', '01010000000000'],
    ['a version of the future', '0201000000000001' + '31'],
    ['a reserved byte', '0101000100000001' + '31'],
    ['an unknown serializer', '0163000000000001' + '31'],
    ['an unknown compressor', '0101630000000001' + '31'],
    ['a wrong length', '0101000000000002' + '31'],
    ['a claim of 4 GiB', '01010400ffffffff' + '28b52ffd'],
    ['polluted JSON', `010100000000000f${Buffer.from('{"__proto__":1}').toString('hex')}`],
  ])('refuses %s as CORRUPT', (_what, hex) => {
    const error = errorOf(() => createCodec().decode(Buffer.from(hex, 'hex')))
    expect(error.code).toBe('CORRUPT')
    expect(error.cause).toBeUndefined()
  })
})

describe('serializers and compressors of others', () => {
  const broken = (over: object) => ({
    id: 20,
    name: 'own',
    encode: json.encode,
    decode: json.decode,
    ...over,
  })
  const boom = () => {
    throw new Error(SECRET)
  }

  test.each([
    ['a serializer that throws', { serializer: broken({ encode: boom }) }, 'the serializer own failed'],
    [
      'a serializer that returns a string',
      { serializer: broken({ encode: String }) },
      'the serializer own must return a Uint8Array',
    ],
    [
      'a compressor that throws',
      { compression: { algorithm: { id: 20, name: 'own', compress: boom, decompress: boom } } },
      'the compressor own failed',
    ],
  ])('%s is told of without its words', (_what, options, message) => {
    const error = errorOf(() => createCodec(options).encode(LONG))
    expect({ code: error.code, message: error.message, cause: error.cause }).toEqual({
      code: 'SERIALIZATION',
      message,
      cause: undefined,
    })
  })

  test('may throw what they like when they read, even errors that look like ours', () => {
    const bytes = createCodec({ serializer: broken({}) }).encode(1)
    for (const thrown of [new Error(SECRET), SECRET, undefined, new CacheError('STORE', SECRET)]) {
      const serializer = broken({
        decode() {
          throw thrown
        },
      })
      const error = errorOf(() => createCodec({ serializer }).decode(bytes))
      expect(error.code).toBe('CORRUPT')
      expect(error.message).not.toContain(SECRET)
    }
  })

  test('cannot hand over more than was claimed', () => {
    const own = {
      id: 20,
      name: 'own',
      compress: () => new Uint8Array(1),
      decompress: () => new Uint8Array(9_999),
    }
    const codec = createCodec({ compression: { algorithm: own } })
    expect(errorOf(() => codec.decode(codec.encode(LONG))).code).toBe('CORRUPT')
  })

  test.each([
    ['serializer', { serializer: { id: 16 } }],
    ['serializer.id', { serializer: broken({ id: 15 }) }],
    ['serializer.id', { serializer: broken({ id: 1 }) }],
    ['serializer.id', { serializer: broken({ id: 1.5 }) }],
    ['serializer.id', { serializer: broken({ id: 256 }) }],
    ['serializer.id', { serializer: broken({ id: 256, name: undefined }) }],
    ['serializer.id', { serializer: broken({ id: 0 }) }],
    ['serializer.id', { serializer: broken({ id: 0, name: undefined }) }],
    ['serializer.id', { serializer: broken({ id: '1', name: 'json' }) }],
    ['serializer.id', { serializer: broken({ id: 2, name: 'msgpack' }) }],
    ['reads', { reads: json }],
    ['reads[1]', { reads: [json, null] }],
    ['reads', { serializer: broken({}), reads: [broken({ name: 'another' })] }],
    ['limits.maxValueBytes', { limits: { maxValueBytes: 512 * 1_024 * 1_024 + 1 } }],
    ['compression.threshold', { compression: { threshold: -1 } }],
  ])('are refused with a wrong %s', (name, options) => {
    const error = errorOf(() => createCodec(options as ValueOptions))
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message.startsWith(`${name} must be `)).toBe(true)
  })
})
