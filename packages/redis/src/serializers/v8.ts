import { deserialize, serialize } from 'node:v8'
import { refused, unholdable } from './refusal.ts'
import type { Serializer } from './serializer.ts'

/**
 * V8's structured clone: what JSON keeps, and `Date`, `Map`, `Set`, `RegExp`, `Error`, BigInt, `undefined`, typed
 * arrays, `Buffer` and cycles. Functions, symbols and promises are refused; objects of a class come back plain.
 *
 * **For a Redis that only trusted programs can write to:** V8 does not promise that its deserializer withstands
 * hostile bytes. That is why entries of this serializer are read only where it was chosen, by `serializer` or `reads`.
 * The format is that of the V8 which wrote it: newer ones read it, older ones may not.
 */
export const v8: Serializer = Object.freeze({
  id: 2,
  name: 'v8',
  encode(value: unknown): Buffer {
    try {
      return serialize(value)
    } catch {
      // Without the cause: V8 quotes the source of functions and the description of symbols.
      throw refused('the v8 serializer', unholdable(value))
    }
  },
  decode(bytes: Buffer): unknown {
    // Typed arrays come back as views of what was read: of a copy, or changing them would change what is stored.
    return deserialize(new Uint8Array(bytes))
  },
})
