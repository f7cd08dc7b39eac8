/** Numbers from 0 up to, but without, `below`. */
export type Random = (below: number) => number

/** Mulberry32 (Tommy Ettinger): the same seed, the same numbers. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Mutation = (bytes: Buffer, random: Random, corpus: readonly Buffer[]) => Buffer

const HEADER_LENGTH = 36
const FIXED_LENGTH = 68
const LENGTHS = [32, HEADER_LENGTH, 40]
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]
const TIMES = [8, 16, 24, 44]
const EXTREME_TIMES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e308, -1]
/** What lies in wait for careless parsers. */
const WORDS = [
  ...[
    '"__proto__":',
    '"\\u005f_proto__":',
    '"constructor":{"prototype":{"evil":1}},',
    '[[[[[[[[',
    '{"a":',
    'null',
  ],
  ...['["Map",', '["BigInt","9"]', '["RegExp","a"]', '[-7,4294967295]', '["Float64Array",1]', '-2', '1e999'],
  ...[
    '\xdd\xff\xff\xff\xff',
    '\xdf\xff\xff\xff\xff',
    '\xc6\x7f\xff\xff\xff',
    '\xa9__proto__',
    '\xc7\xff',
    '\xc1',
  ],
  ...['\x28\xb5\x2f\xfd', '\x1f\x8b\x08', '\xff\xff\xff\xff\x0f', '\x00\x00\x00\x00', '\xca\xc4\xe1\x02'],
].map(word => Buffer.from(word, 'latin1'))

const MUTATIONS: readonly Mutation[] = [
  ...[flipBits, flipBits, setByte, setFixed, setFixed, setLength, setTime],
  ...[truncate, insert, insert, remove, duplicate],
  ...[splice, swapCoders, swapPayload, swapHeader],
]

/** One to four changes to a copy of one of the corpus; half of them have their lengths put right again. */
export function mutated(corpus: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(pick(corpus, random))
  for (let left = 1 + random(4); left > 0; left--) bytes = pick(MUTATIONS, random)(bytes, random, corpus)
  // Or hardly anything would come past the first check.
  return random(2) === 0 ? bytes : withTrueLengths(bytes)
}

function withTrueLengths(bytes: Buffer): Buffer {
  if (bytes.length < FIXED_LENGTH) return bytes
  const rest = bytes.length - FIXED_LENGTH
  const header = Math.min(bytes.readUInt32BE(HEADER_LENGTH), rest)
  bytes.writeUInt32BE(header, HEADER_LENGTH)
  bytes.writeUInt32BE(rest - header, 40)
  if (bytes[6] === 0) bytes.writeUInt32BE(rest - header, 32)
  return bytes
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[random(from.length)] as T
}

function flipBits(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return bytes
  const at = random(bytes.length)
  bytes[at] = (bytes[at] as number) ^ (1 << random(8))
  return bytes
}

function setByte(bytes: Buffer, random: Random): Buffer {
  if (bytes.length > 0) bytes[random(bytes.length)] = random(256)
  return bytes
}

function setFixed(bytes: Buffer, random: Random): Buffer {
  if (bytes.length >= FIXED_LENGTH) bytes[random(FIXED_LENGTH)] = random(2) ? random(256) : random(8)
  return bytes
}

function setLength(bytes: Buffer, random: Random): Buffer {
  if (bytes.length >= FIXED_LENGTH) bytes.writeUInt32BE(pick(EXTREMES, random), pick(LENGTHS, random))
  return bytes
}

function setTime(bytes: Buffer, random: Random): Buffer {
  if (bytes.length >= FIXED_LENGTH) bytes.writeDoubleBE(pick(EXTREME_TIMES, random), pick(TIMES, random))
  return bytes
}

function truncate(bytes: Buffer, random: Random): Buffer {
  return bytes.subarray(0, random(bytes.length + 1))
}

function insert(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), pick(WORDS, random), bytes.subarray(at)])
}

function remove(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(16))])
}

function duplicate(bytes: Buffer, random: Random): Buffer {
  const at = random(bytes.length + 1)
  const part = bytes.subarray(at, at + random(64))
  return Buffer.concat([bytes.subarray(0, at), part, part, bytes.subarray(at)])
}

function splice(bytes: Buffer, random: Random, corpus: readonly Buffer[]): Buffer {
  const other = pick(corpus, random)
  return Buffer.concat([
    bytes.subarray(0, random(bytes.length + 1)),
    other.subarray(random(other.length + 1)),
  ])
}

/** Serializer and compressor of another, which then read what is not theirs. */
function swapCoders(bytes: Buffer, random: Random, corpus: readonly Buffer[]): Buffer {
  const at = 5 + random(2)
  if (bytes.length >= FIXED_LENGTH) bytes[at] = pick(corpus, random)[at] as number
  return bytes
}

function swapPayload(bytes: Buffer, random: Random, corpus: readonly Buffer[]): Buffer {
  if (bytes.length < FIXED_LENGTH) return bytes
  const other = pick(corpus, random)
  const payload = other.subarray(FIXED_LENGTH + other.readUInt32BE(HEADER_LENGTH))
  const head = Buffer.from(bytes.subarray(0, FIXED_LENGTH + bytes.readUInt32BE(HEADER_LENGTH)))
  if (random(2) === 0) head.writeUInt32BE(other.readUInt32BE(32), 32)
  return Buffer.concat([head, payload])
}

function swapHeader(bytes: Buffer, random: Random, corpus: readonly Buffer[]): Buffer {
  if (bytes.length < FIXED_LENGTH) return bytes
  const other = pick(corpus, random)
  const length = other.readUInt32BE(HEADER_LENGTH)
  const payload = bytes.subarray(FIXED_LENGTH + bytes.readUInt32BE(HEADER_LENGTH))
  const fixed = Buffer.from(bytes.subarray(0, FIXED_LENGTH))
  fixed.writeUInt32BE(length, HEADER_LENGTH)
  return Buffer.concat([fixed, other.subarray(FIXED_LENGTH, FIXED_LENGTH + length), payload])
}
