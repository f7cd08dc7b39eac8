import { CacheError } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resolveValueOptions } from '../codec-options.ts'
import { buildDictionary } from './build-dictionary.ts'
import { takesDictionaries } from './dictionary.ts'
import { zlibCompressor } from './zlib.ts'

/** Orders of 480 bytes or so, alike in everything but what they say. */
function order(i: number): Buffer {
  const customer = (i * 31) % 977
  const line = (k: number): object => ({
    sku: `SKU-${(i * k) % 10_007}`,
    description: ['Steel teapot', 'Green tea, loose', 'Cup with saucer'][(i * k) % 3],
    quantity: 1 + (i % 5),
    price: { amount: ((i * 97 * k) % 10_000) / 100, currency: 'EUR' },
  })
  return Buffer.from(
    JSON.stringify({
      id: i * 7_919,
      status: ['open', 'paid', 'shipped'][i % 3],
      customer: { name: `customer ${customer}`, email: `customer${customer}@example.com` },
      address: { street: `${i % 300} Main Street`, city: ['Berlin', 'Paris', 'Rome'][i % 3], country: 'DE' },
      lines: [line(13), line(17)],
      createdAt: new Date(1.7e12 + i * 1e6).toISOString(),
      updatedAt: new Date(1.7e12 + i * 3e6).toISOString(),
    }),
  )
}

function account(i: number): Buffer {
  const preferences = { newsletter: i % 2 === 0, theme: 'dark', currency: 'GBP', language: 'en' }
  return Buffer.from(
    JSON.stringify({ kind: 'account', uid: `u-${i * 7}`, preferences, lastSeen: 1.7e12 + i * 1_234 }),
  )
}

const many = (make: (i: number) => Buffer, from: number, count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => make(from + i))

function bytesWith(
  dictionary: Uint8Array,
  algorithm: 'zstd' | 'deflate',
  records: readonly Buffer[],
): number {
  const { compressor } = resolveValueOptions({ compression: { dictionary, algorithm } })
  return records.reduce((sum, record) => sum + (compressor?.compress(record).length ?? 0), 0)
}

function bytesWithout(algorithm: 'zstd' | 'deflate', records: readonly Buffer[]): number {
  const compressor = zlibCompressor(algorithm)
  return records.reduce((sum, record) => sum + compressor.compress(record).length, 0)
}

describe('a dictionary', () => {
  const dictionary = buildDictionary(many(order, 0, 1_000))
  const unseen = many(order, 50_000, 200)

  test('makes similar records that it was not built from half as long as they would be without', () => {
    const mean = unseen.reduce((sum, { length }) => sum + length, 0) / unseen.length
    expect(mean).toBeGreaterThan(440)
    expect(mean).toBeLessThan(500)
    expect(bytesWithout('deflate', unseen) / bytesWith(dictionary, 'deflate', unseen)).toBeGreaterThan(2)
  })

  test.runIf(takesDictionaries('zstd'))('helps zstd too', () => {
    expect(bytesWithout('zstd', unseen) / bytesWith(dictionary, 'zstd', unseen)).toBeGreaterThan(1.8)
  })

  test('covers every kind of record among its samples, not those alone that come first', () => {
    const samples = [...many(order, 0, 500), ...many(account, 0, 500)]
    const small = buildDictionary(samples, { maxBytes: 1_024 })
    const first = Buffer.concat(samples).subarray(0, 1_024)
    const accounts = many(account, 50_000, 100)
    expect(bytesWith(first, 'deflate', accounts) / bytesWith(small, 'deflate', accounts)).toBeGreaterThan(1.5)
  })

  test('consists of pieces of the samples, and is no longer than asked for', () => {
    for (const maxBytes of [64, 100, 1_000, 4_096]) {
      expect(buildDictionary(many(order, 0, 300), { maxBytes }).length).toBeLessThanOrEqual(maxBytes)
    }
    expect(buildDictionary([Buffer.from('common text'), Buffer.from('common text')]).length).toBe(11)
  })

  test('is the same for the same samples, which stay as they are', () => {
    const samples = many(order, 0, 300)
    expect(Buffer.from(buildDictionary(samples)).equals(buildDictionary(many(order, 0, 300)))).toBe(true)
    expect(samples).toEqual(many(order, 0, 300))
  })

  test('is made of any samples that have something in common, or refused', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.integer({ min: 64, max: 600 }),
        (samples, maxBytes) => {
          try {
            const { length } = buildDictionary([...samples, ...samples], { maxBytes })
            expect(length).toBeGreaterThanOrEqual(6)
            expect(length).toBeLessThanOrEqual(maxBytes)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(CacheError)
            expect(samples.every(({ length }) => length < 6)).toBe(true)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  test('looks at 4 MiB of samples, spread over all of them', () => {
    const before = process.memoryUsage()
    const heap = before.external + before.arrayBuffers
    const filler = Array.from({ length: 160 }, (_, i) => Buffer.alloc(100_000, `${i} filler `))
    const built = buildDictionary([...filler, ...many(account, 0, 20_000)], { maxBytes: 4_096 })
    expect(Buffer.from(built).includes('"newsletter":')).toBe(true)
    const { external, arrayBuffers } = process.memoryUsage()
    expect(external + arrayBuffers - heap).toBeLessThan(160 * 100_000 * 3 + (64 << 20))
  })

  test.each([
    ['maxBytes', [], { maxBytes: 63 }],
    ['maxBytes', [], { maxBytes: (1 << 20) + 1 }],
    ['samples', 'text', {}],
    ['samples', ['text'], {}],
    ['samples', [], {}],
    ['samples', [order(1)], {}],
    ['samples', [Buffer.from('one thing'), Buffer.from('another')], {}],
  ])('is refused for wrong %s', (name, samples, options) => {
    expect(() => buildDictionary(samples as Buffer[], options)).toThrow(new RegExp(`^${name} must `))
  })
})
