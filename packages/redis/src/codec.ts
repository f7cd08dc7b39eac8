import type { Codec } from '@cache/core'
import { resolveValueOptions, type ValueOptions } from './codec-options.ts'
import { asBuffer, PayloadCodec } from './codec-payload.ts'
import { corrupt } from './envelope.ts'

const VERSION = 1
/** Version, serializer, compressor, 0, then the length of the payload once decompressed. */
const FIXED_LENGTH = 8

/**
 * A `Codec` of the serializers and compressors that `RedisStore` uses, with the same options and limits. A
 * value takes 8 bytes more than its payload; docs/wire-format.md has the layout.
 *
 * @returns one whose `encode` throws `SERIALIZATION` for what it cannot hold and `INVALID_VALUE` for what is too large,
 *   whose `decode` throws `CORRUPT`, whatever the bytes are, and which shares nothing between two calls
 * @throws CacheError `INVALID_OPTION`
 */
export function createCodec(options: ValueOptions = {}): Codec {
  const payloads = new PayloadCodec(resolveValueOptions(options))
  return {
    stats: () => payloads.counts.snapshot(),
    encode(value) {
      const { serializer, compressor, rawLength, payload } = payloads.pack(payloads.serialize(value))
      const bytes = Buffer.allocUnsafeSlow(FIXED_LENGTH + payload.length)
      bytes.set([VERSION, serializer, compressor, 0])
      bytes.writeUInt32BE(rawLength, 4)
      bytes.set(payload, FIXED_LENGTH)
      return bytes
    },
    decode(encoded) {
      const bytes = asBuffer(encoded)
      if (bytes.length < FIXED_LENGTH) throw corrupt('it is truncated')
      if (bytes[0] !== VERSION || bytes[3] !== 0) throw corrupt('its version is not known here')
      return payloads.unpack({
        serializer: bytes[1] as number,
        compressor: bytes[2] as number,
        rawLength: bytes.readUInt32BE(4),
        payload: bytes.subarray(FIXED_LENGTH),
      })
    },
  }
}
