/**
 * Turns values into bytes and back. Its id is stored with every value, so that a change of serializer does not
 * break what is stored: an entry of an unknown serializer is a miss.
 */
export interface Serializer {
  /** 1 to 15 are this package's, 16 to 255 yours; never reuse one for another format. */
  readonly id: number
  readonly name: string
  /** @throws CacheError `SERIALIZATION` naming the kind of what it cannot hold, never the value */
  encode(value: unknown): Uint8Array
  /**
   * Bytes from the remote are not to be trusted: throws whatever it likes on bytes that are not its own. What
   * it returns must not be a view of the bytes, which may be kept and read again.
   */
  decode(bytes: Buffer): unknown
}
