import { buildDictionary } from '@cache/redis'
import { mean, spread } from '../lib/numbers.ts'
import { makeItem } from '../redis/payload.ts'
import { METHODS, type Method } from './methods.ts'

/** What became of records that the dictionary was not built from. */
interface Outcome {
  readonly method: string
  /** 0 for none. */
  readonly dictionaryBytes: number
  /** How many times smaller. */
  readonly ratio: number
  /** Of one call, in microseconds. */
  readonly compress: number
  readonly decompress: number
}

export interface Kind {
  readonly name: string
  readonly meanBytes: number
  readonly outcomes: readonly Outcome[]
}

/** In front of each payload is the name of its dictionary. */
const NAME_BYTES = 4
const SAMPLES = 2_000
const RECORDS = 300
const MAKERS: Readonly<Record<string, (i: number) => object>> = {
  'an order': order,
  'an item of words and digits': i => makeItem(`item:${i}`, 486),
}

/** Small records by zstd and deflate, without a dictionary and with one of each size. */
export function compareDictionaries(sizes: readonly number[]): Kind[] {
  return Object.entries(MAKERS).map(([name, make]) => {
    const samples = recordsOf(make, 0, SAMPLES)
    const records = recordsOf(make, 1_000_000, RECORDS)
    const dictionaries = [
      undefined,
      ...sizes.map(maxBytes => Buffer.from(buildDictionary(samples, { maxBytes }))),
    ]
    const outcomes = METHODS.filter(method => ['zstd', 'deflate'].includes(method.name)).flatMap(method =>
      dictionaries.map(dictionary => outcomeOf(method, records, dictionary)),
    )
    return { name, meanBytes: mean(records.map(({ length }) => length)), outcomes }
  })
}

/** How much is left of orders that are cut to so many bytes, by deflate. */
export function shareLeft(bytes: number, dictionaryBytes: number): number {
  const dictionary = Buffer.from(buildDictionary(recordsOf(order, 0, SAMPLES), { maxBytes: dictionaryBytes }))
  const records = recordsOf(order, 1_000_000, RECORDS).map(record => record.subarray(0, bytes))
  const deflate = METHODS.find(({ name }) => name === 'deflate') as Method
  return 1 / outcomeOf(deflate, records, dictionary).ratio
}

function outcomeOf(method: Method, records: readonly Buffer[], dictionary: Buffer | undefined): Outcome {
  const given = dictionary === undefined ? {} : { dictionary }
  const overhead = dictionary === undefined ? 0 : NAME_BYTES
  const compress: number[] = []
  const decompress: number[] = []
  let rawBytes = 0
  let packedBytes = 0
  for (const raw of records) {
    const start = performance.now()
    const packed = method.compress.sync(raw, { ...given, chunkSize: Math.max(raw.length, 64) })
    const middle = performance.now()
    method.decompress.sync(packed, {
      ...given,
      chunkSize: Math.max(raw.length + 1, 64),
      maxOutputLength: raw.length,
    })
    compress.push(middle - start)
    decompress.push(performance.now() - middle)
    rawBytes += raw.length
    packedBytes += packed.length + overhead
  }
  return {
    method: method.name,
    dictionaryBytes: dictionary?.length ?? 0,
    ratio: rawBytes / packedBytes,
    compress: spread(compress).median * 1_000,
    decompress: spread(decompress).median * 1_000,
  }
}

function recordsOf(make: (i: number) => object, from: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(JSON.stringify(make(from + i))))
}

/** Alike in everything but what they say, as the records of one table are. */
function order(i: number): object {
  const customer = (i * 31) % 977
  const line = (k: number): object => ({
    sku: `SKU-${(i * k) % 10_007}`,
    quantity: 1 + (i % 5),
    price: { amount: ((i * 97 * k) % 10_000) / 100, currency: 'EUR' },
  })
  return {
    id: i * 7_919,
    type: 'order',
    status: ['open', 'paid', 'shipped'][i % 3],
    customer: { name: `customer ${customer}`, email: `user${customer}@example.com` },
    address: { street: `${i % 300} Main Street`, city: ['Berlin', 'Paris', 'Rome'][i % 3], country: 'DE' },
    lines: [line(13), line(17)],
    createdAt: new Date(1.7e12 + i * 1e6).toISOString(),
    updatedAt: new Date(1.7e12 + i * 2e6).toISOString(),
  }
}
