import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { CacheError } from '@cache/core'
import { describe, expect, test } from 'vitest'
import { resolveValueOptions } from '../../src/codec-options.ts'
import { takesDictionaries } from '../../src/compressors/dictionary.ts'
import { lz4 } from '../../src/compressors/lz4.ts'
import { snappy } from '../../src/compressors/snappy.ts'
import { COMPRESSORS } from '../../src/compressors/zlib.ts'
import { EntryCodec } from '../../src/entry-codec.ts'
import { devalue } from '../../src/serializers/devalue.ts'
import { json } from '../../src/serializers/json.ts'
import { msgpack } from '../../src/serializers/msgpack.ts'
import { v8 } from '../../src/serializers/v8.ts'
import { untag } from './tagged.ts'
import { bytesOf, DICTIONARIES, isReadHere, VECTORS } from './vectors.ts'

const codec = new EntryCodec({
  serializer: json,
  reads: [v8, msgpack, devalue],
  compressor: undefined,
  decompressors: resolveValueOptions({ compression: { reads: [lz4, snappy, ...DICTIONARIES] } })
    .decompressors,
  threshold: 1_024,
  maxValueBytes: 64 * 1_024 * 1_024,
})

describe('vectors', () => {
  const here = VECTORS.filter(isReadHere)
  const entries = here.flatMap(each => (each.entry ? [[each.name, each, each.entry] as const] : []))
  const refused = here.flatMap(each => (each.corrupt ? [[each.name, each, each.corrupt] as const] : []))

  test('cover every serializer and compressor', () => {
    const coders = entries.map(([, vector]) => bytesOf(vector))
    expect(new Set(coders.map(bytes => bytes[5]))).toEqual(
      new Set([json, v8, msgpack, devalue].map(({ id }) => id)),
    )
    const compressors = [...COMPRESSORS.values(), lz4, snappy].map(({ id }) => id)
    const withDictionaries = takesDictionaries('zstd') ? [7, 8] : [8]
    expect(new Set(coders.map(bytes => bytes[6]))).toEqual(new Set([0, ...compressors, ...withDictionaries]))
    expect(entries.length + refused.length).toBe(here.length)
  })

  test.each(entries)('are read: %s', (_name, vector, entry) => {
    expect(codec.decode(bytesOf(vector))).toStrictEqual(untag(entry))
  })

  test.each(refused)('are refused: %s', (_name, vector, complaint) => {
    let error: unknown
    try {
      codec.decode(bytesOf(vector))
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(CacheError)
    expect(error).toMatchObject({ code: 'CORRUPT', message: `what is stored is not usable: ${complaint}` })
    expect('polluted' in {}).toBe(false)
  })
})

/** What the reader in docs/wire-format.md makes of each vector. */
type Outcome = { readonly entry: unknown } | { readonly corrupt: string } | { readonly unsupported: string }

/** Infinity is no JSON: as in the vectors. */
const MAIN = `
import base64, sys
def tag(time):
    return {"$number": "Infinity"} if time == float("inf") else time
def outcome(vector):
    try:
        dictionaries = [base64.b64decode(vector["dictionary"])] if "dictionary" in vector else []
        entry = read_entry(base64.b64decode(vector["base64"]), dictionaries)
        return {"entry": {name: tag(each) if name.endswith(("At", "Until")) else each for name, each in entry.items()}}
    except Corrupt as error:
        return {"corrupt": str(error)}
    except Unsupported as error:
        return {"unsupported": str(error)}
json.dump([outcome(vector) for vector in json.load(sys.stdin)], sys.stdout, allow_nan=False)
`

describe('the reader in Python', () => {
  const python = process.platform === 'win32' ? 'python' : 'python3'
  const isMissing = spawnSync(python, ['--version']).status !== 0

  // In CI its absence is a failure.
  test.skipIf(isMissing && process.env.CI !== 'true')('of the documentation agrees on every vector', () => {
    const document = readFileSync(new URL('../../../../docs/wire-format.md', import.meta.url), 'utf8')
    const program = document.match(/```python\n(.*?)```/s)?.[1]
    const vectors = VECTORS.filter(({ only }) => only === undefined)
    const { stdout, stderr } = spawnSync(python, ['-c', program + MAIN], {
      input: JSON.stringify(vectors),
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    const outcomes: readonly Outcome[] = JSON.parse(stdout)
    expect(outcomes).toHaveLength(vectors.length)
    let read = 0
    for (const [i, vector] of vectors.entries()) {
      const outcome = outcomes[i] as Outcome
      // JSON without compression, by gzip or by deflate is always read, with a dictionary that is known too.
      const [serializer = 0, compressor = 0] = bytesOf(vector).subarray(5, 7)
      if ('unsupported' in outcome) {
        const isDeflate =
          [0, 1, 2].includes(compressor) || (compressor === 8 && vector.dictionary !== undefined)
        expect(serializer > 1 || !isDeflate, vector.name).toBe(true)
      } else if (vector.entry) {
        expect(outcome, vector.name).toEqual({ entry: vector.entry })
        read++
      } else {
        expect(outcome, vector.name).toHaveProperty('corrupt')
      }
    }
    expect(read).toBeGreaterThanOrEqual(19)
  })
})
