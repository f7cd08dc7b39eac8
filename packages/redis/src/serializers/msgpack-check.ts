/** How deep arrays and maps may lie in each other. */
export const MAX_DEPTH = 1_000

/** The extension of the MessagePack specification for points in time. */
const TIMESTAMP = -1

/** Bytes after the token, by token from 0xc0: of what has a fixed size. */
const FIXED: ReadonlyMap<number, number> = new Map([
  ...[0xc0, 0xc2, 0xc3].map(token => [token, 0] as const),
  ...[0xcc, 0xd0].map(token => [token, 1] as const),
  ...[0xcd, 0xd1].map(token => [token, 2] as const),
  ...[0xca, 0xce, 0xd2].map(token => [token, 4] as const),
  ...[0xcb, 0xcf, 0xd3].map(token => [token, 8] as const),
])
/** Length of the length that follows the token. */
const STRINGS: ReadonlyMap<number, number> = lengths([0xd9, 1], [0xda, 2], [0xdb, 4])
const BINARIES: ReadonlyMap<number, number> = lengths([0xc4, 1], [0xc5, 2], [0xc6, 4])
const ARRAYS: ReadonlyMap<number, number> = lengths([0xdc, 2], [0xdd, 4])
const MAPS: ReadonlyMap<number, number> = lengths([0xde, 2], [0xdf, 4])
/** Timestamps have 4, 8 or 12 bytes; the last is an ext 8, which tells its length. */
const EXTENSIONS: ReadonlyMap<number, number> = new Map([
  [0xd6, 4],
  [0xd7, 8],
])
const EXTENSION_8 = 0xc7

function lengths(...pairs: readonly (readonly [number, number])[]): ReadonlyMap<number, number> {
  return new Map(pairs)
}

/**
 * Walks MessagePack without decoding it: every length lies within the bytes, nothing is left over, nothing is
 * nested too deeply, and there is no extension but the timestamp. What passes cannot make a decoder allocate
 * more than in proportion to its bytes, as a decoder alone may: an array of four billion elements takes five bytes to claim.
 *
 * @throws RangeError
 */
export function checkMessagePack(bytes: Buffer): void {
  /** Of each container that is open: how many values it still wants. */
  const open = [1]
  let position = 0
  while (open.length > 0) {
    const wanted = open.at(-1) as number
    if (wanted === 0) {
      open.pop()
      continue
    }
    open[open.length - 1] = wanted - 1
    const { next, children } = measure(bytes, position)
    // Each value takes a byte at least.
    if (next + children > bytes.length) throw malformed()
    position = next
    if (children > 0 && open.push(children) > MAX_DEPTH) throw malformed()
  }
  if (position !== bytes.length) throw malformed()
}

interface Measured {
  /** Where the value ends or, for a container, where its first child begins. */
  readonly next: number
  readonly children: number
}

function measure(bytes: Buffer, at: number): Measured {
  const token = bytes.readUInt8(at)
  const body = at + 1
  if (token < 0x80 || token >= 0xe0) return { next: body, children: 0 }
  if (token < 0x90) return { next: body, children: 2 * (token - 0x80) }
  if (token < 0xa0) return { next: body, children: token - 0x90 }
  if (token < 0xc0) return { next: body + token - 0xa0, children: 0 }
  const fixed = FIXED.get(token)
  if (fixed !== undefined) return { next: body + fixed, children: 0 }
  const run = STRINGS.get(token) ?? BINARIES.get(token)
  if (run !== undefined) return { next: body + run + bytes.readUIntBE(body, run), children: 0 }
  const array = ARRAYS.get(token)
  if (array !== undefined) return { next: body + array, children: bytes.readUIntBE(body, array) }
  const map = MAPS.get(token)
  if (map !== undefined) return { next: body + map, children: 2 * bytes.readUIntBE(body, map) }
  return { next: timestampEnd(bytes, token, body), children: 0 }
}

function timestampEnd(bytes: Buffer, token: number, body: number): number {
  const explicit = token === EXTENSION_8 && bytes.readUInt8(body) === 12
  const length = explicit ? 12 : EXTENSIONS.get(token)
  const type = explicit ? body + 1 : body
  if (length === undefined || bytes.readInt8(type) !== TIMESTAMP) throw malformed()
  return type + 1 + length
}

function malformed(): RangeError {
  return new RangeError('not MessagePack of ours')
}
