/** How many slots the keys of a Redis Cluster are divided into. */
export const SLOTS = 16_384

/** CRC16 (XMODEM: polynomial 0x1021, initial value 0), a byte at a time: what Redis Cluster specifies. */
const CRC16: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc
})

/** The slot of a key: keys with the same hash tag, if they have one, share theirs. */
export function slotOf(key: string | Buffer): number {
  let crc = 0
  for (const byte of hashed(typeof key === 'string' ? Buffer.from(key) : key))
    crc = (crc << 8) ^ (CRC16[((crc >> 8) ^ byte) & 0xff] as number)
  return crc & (SLOTS - 1)
}

/** What lies between the first `{` and the first `}` behind it, or the whole key if that is nothing. */
function hashed(key: Buffer): Buffer {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  return close > open + 1 ? key.subarray(open + 1, close) : key
}

/** Whether no hash tag can follow in a key that begins so: its first braces have nothing between them. */
export function forbidsHashTag(prefix: string): boolean {
  const open = prefix.indexOf('{')
  return open >= 0 && prefix[open + 1] === '}'
}
