import { setImmediate } from 'node:timers/promises'
import { type Awaitable, CacheError, type Entry, isPending } from '@cache/core'
import { expect, test } from 'vitest'
import type { Compressor } from '../src/compressors/compressor.ts'
import { lz4 } from '../src/compressors/lz4.ts'
import { snappy } from '../src/compressors/snappy.ts'
import { COMPRESSORS } from '../src/compressors/zlib.ts'
import { EntryCodec, type EntryCodecOptions } from '../src/entry-codec.ts'
import { devalue } from '../src/serializers/devalue.ts'
import { json } from '../src/serializers/json.ts'
import { msgpack } from '../src/serializers/msgpack.ts'
import { isPolluted } from '../src/serializers/pollution.ts'
import { v8 } from '../src/serializers/v8.ts'
import { mutated, randomOf } from './fuzz-mutations.ts'

/** More of them with FUZZ_ENVELOPES=10000000; the same ones again with the FUZZ_SEED of a failure. */
const ENVELOPES = Number(process.env.FUZZ_ENVELOPES ?? 100_000)
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32)
const MAX_VALUE_BYTES = 1 << 20
const MAX_GROWTH_BYTES = 256 * MAX_VALUE_BYTES
const EXPECTED_MS_EACH = 0.6

// Serializers that trust nobody: v8 is read by those alone who chose it.
const SERIALIZERS = [json, msgpack, devalue]
const ALL: readonly Compressor[] = [...COMPRESSORS.values(), lz4, snappy]

const BASE: EntryCodecOptions = {
  serializer: json,
  reads: SERIALIZERS,
  compressor: undefined,
  decompressors: ALL,
  threshold: 0,
  maxValueBytes: MAX_VALUE_BYTES,
}

const TIMES = { createdAt: 1_700_000_000_000, freshUntil: 1_700_000_060_000, expiresAt: 1_700_003_600_000 }
const PLAIN = {
  id: 7,
  name: 'Ünïcode "quoted" \\ text',
  list: Array.from({ length: 12 }, (_, i) => ({ i, ratio: i / 7, on: i % 2 === 0, none: null })),
}
const RICH = { ...PLAIN, at: new Date(5), bytes: new Uint8Array([1, 2, 3]) }
const CORPUS: readonly Buffer[] = [
  ...everyWay(json, { value: PLAIN, ...TIMES }),
  ...everyWay(json, {
    value: 'x',
    ...TIMES,
    tags: ['a', 'ü'],
    metadata: { source: 'db', nested: { n: [1] } },
  }),
  ...everyWay(msgpack, { value: RICH, ...TIMES, tags: ['t'] }),
  ...everyWay(devalue, { value: { ...RICH, map: new Map([[1n, new Set([undefined])]]) }, ...TIMES }),
  ...everyWay(v8, { value: RICH, ...TIMES, metadata: {} }),
]

function everyWay(serializer: EntryCodecOptions['serializer'], entry: Entry): readonly Buffer[] {
  return [undefined, ...ALL].map(compressor =>
    atOnce(new EntryCodec({ ...BASE, serializer, compressor }).encode(entry, 7)),
  )
}

const isNumber = (value: unknown): boolean => typeof value === 'number' && !Number.isNaN(value)

function assertWellFormed(entry: Entry): void {
  const { value, createdAt, freshUntil, expiresAt, tags, metadata, ...more } = entry
  if (![createdAt, freshUntil, expiresAt].every(isNumber)) throw new Error('its times are not numbers')
  if (tags !== undefined && !tags.every(tag => typeof tag === 'string'))
    throw new Error('its tags are not strings')
  if (metadata !== undefined && typeof metadata !== 'object') throw new Error('its metadata is not an object')
  if (Object.keys(more).length > 0) throw new Error('it has more properties than an entry')
  if (isPolluted(value) || isPolluted(metadata)) throw new Error('it is polluted')
}

function atOnce<T>(result: Awaitable<T>): T {
  if (isPending(result)) throw new Error('it did not answer at once')
  return result
}

/** Whether the bytes were refused. Anything but an entry or CORRUPT is thrown. */
function isRefused(codec: EntryCodec, bytes: Buffer): Awaitable<boolean> {
  const refused = (thrown: unknown): true => {
    if (thrown instanceof CacheError && thrown.code === 'CORRUPT' && thrown.cause === undefined) return true
    throw thrown
  }
  const accepted = (entry: Entry): false => {
    assertWellFormed(entry)
    return false
  }
  try {
    const entry = codec.decode(bytes)
    return isPending(entry) ? entry.then(accepted, refused) : accepted(entry)
  } catch (thrown) {
    return refused(thrown)
  }
}

const external = (): number => {
  const { external: bytes, heapUsed } = process.memoryUsage()
  return bytes + heapUsed
}

test(
  `mutated envelopes are an entry or CORRUPT: ${ENVELOPES} of FUZZ_SEED=${SEED}`,
  async () => {
    const codec = new EntryCodec(BASE)
    const random = randomOf(SEED)
    const prototypes = [Object.prototype, Array.prototype, Map.prototype, Function.prototype]
    const names = prototypes.map(prototype => Reflect.ownKeys(prototype))
    const before = external()
    let refused = 0
    let growth = 0
    for (let i = 0; i < ENVELOPES; i++) {
      const bytes = mutated(CORPUS, random)
      try {
        const result = isRefused(codec, bytes)
        if (isPending(result) ? await result : result) refused++
      } catch (thrown) {
        throw new Error(`envelope ${i} of FUZZ_SEED=${SEED}: ${bytes.toString('hex')}`, { cause: thrown })
      }
      if (i % 50 !== 0) continue
      growth = Math.max(growth, external() - before)
      // What zlib refuses keeps its buffers until the next tick.
      await setImmediate()
    }
    expect(prototypes.map(prototype => Reflect.ownKeys(prototype))).toEqual(names)
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES)
    // Else the mutations would be too tame, or too wild to come past the first checks.
    expect(refused).toBeGreaterThan(ENVELOPES / 3)
    expect(ENVELOPES - refused).toBeGreaterThan(ENVELOPES / 50)
  },
  20_000 + ENVELOPES * EXPECTED_MS_EACH,
)
