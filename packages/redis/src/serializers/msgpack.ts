import { CacheError } from '@cache/core'
import {
  type DecoderOptions,
  decode,
  type EncoderOptions,
  ExtensionCodec,
  type ExtensionCodecType,
  encode,
} from '@msgpack/msgpack'
import { checkMessagePack, MAX_DEPTH } from './msgpack-check.ts'
import { areSuspicious, isPolluted, POLLUTED } from './pollution.ts'
import { kindOf, refused, tagOf } from './refusal.ts'
import type { Serializer } from './serializer.ts'

/**
 * [MessagePack](https://msgpack.org) by `@msgpack/msgpack`, which must be installed beside this package: what JSON keeps,
 * and `Date` (as timestamps), `Uint8Array`, `NaN` and infinities; a `Buffer` comes back as `Uint8Array`. `undefined`
 * is left out of objects, and becomes `null` in arrays. Refused are functions, symbols, BigInt, `Map`, `Set` and other
 * built-in objects, and properties named `__proto__` or `constructor.prototype`; objects of a class come back plain.
 *
 * Any MessagePack library reads what it writes. Integers of 64 bits that others wrote come back as numbers.
 */
export const msgpack: Serializer = Object.freeze({
  id: 3,
  name: 'msgpack',
  encode(value: unknown): Buffer {
    if (value === undefined) throw refused('MessagePack', 'undefined')
    const bytes = bytesOf(value)
    if (areSuspicious(bytes) && isPolluted(value)) throw refused('MessagePack', POLLUTED)
    return bytes
  },
  decode(bytes: Buffer): unknown {
    checkMessagePack(bytes)
    // Binary comes back as views of what was read: of a copy, or changing them would change what is stored.
    const value = decode(new Uint8Array(bytes), OPTIONS)
    if (areSuspicious(bytes) && isPolluted(value)) throw new SyntaxError('polluted MessagePack')
    return value
  },
})

function bytesOf(value: unknown): Buffer {
  try {
    const bytes = encode(value, OPTIONS)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  } catch (thrown) {
    if (thrown instanceof CacheError) throw thrown
    const deep = thrown instanceof RangeError || (thrown instanceof Error && /too deep/i.test(thrown.message))
    throw refused(
      'MessagePack',
      deep ? 'a value nested too deeply, or too large' : 'an object whose getter throws',
    )
  }
}

const timestamps: ExtensionCodecType<undefined> = ExtensionCodec.defaultCodec

const OPTIONS: EncoderOptions & DecoderOptions = {
  maxDepth: MAX_DEPTH - 1,
  ignoreUndefined: true,
  extensionCodec: {
    /** Is asked about everything that is no number, string, boolean or null, and so is where the rest is refused. */
    tryToEncode(object, context) {
      if (Array.isArray(object) || isPlain(object)) return null
      const kind = typeof object === 'object' && object !== null ? tagOf(object) : ''
      if (kind === 'Object' || kind === 'Uint8Array') return null
      if (kind !== 'Date' || Number.isNaN((object as Date).getTime()))
        throw refused('MessagePack', kindOf(object))
      return timestamps.tryToEncode(object, context)
    },
    decode: (data, type, context) => timestamps.decode(data, type, context),
  },
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
