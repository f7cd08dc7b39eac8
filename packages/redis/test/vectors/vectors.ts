import { readFileSync } from 'node:fs'
import { takesDictionaries } from '../../src/compressors/dictionary.ts'
import { COMPRESSORS } from '../../src/compressors/zlib.ts'

/** Never changed, only added to: what was written once is read for ever. */
export interface Vector {
  readonly name: string
  readonly base64: string
  /** Bytes that a reader must have beside it, base64. */
  readonly dictionary?: string
  /** What it is, see tagged.ts; or else why it is refused. */
  readonly entry?: Readonly<Record<string, unknown>>
  readonly corrupt?: string
  readonly only?: 'javascript'
}

export const VECTORS: readonly Vector[] = JSON.parse(
  readFileSync(new URL('entries.json', import.meta.url), 'utf8'),
)

export const DICTIONARIES: readonly Buffer[] = VECTORS.flatMap(({ dictionary }) => dictionary ?? []).map(
  each => Buffer.from(each, 'base64'),
)

export const bytesOf = ({ base64 }: Vector): Buffer => Buffer.from(base64, 'base64')

/** Not every Node has zstd, nor its dictionaries. */
export function isReadHere(vector: Vector): boolean {
  const compressor = bytesOf(vector)[6]
  if (compressor === 7) return takesDictionaries('zstd')
  return compressor !== 4 || COMPRESSORS.has('zstd')
}
