/** Makes payloads smaller. Its id is stored with every payload it compressed. */
export interface Compressor {
  /** 1 to 15 are this package's, 16 to 255 yours; 0 stands for no compression. */
  readonly id: number
  readonly name: string
  compress(bytes: Uint8Array): Uint8Array
  /**
   * Bytes from the remote are not to be trusted.
   *
   * @throws anything if the result would be longer than `maxBytes` (at least 1), before it is allocated
   */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
  /**
   * As `compress`, without holding the event loop: used for large values, if it is there. What either wrote is
   * read by both ways of decompressing. The bytes stay as they are until the promise is settled.
   */
  compressAsync?(bytes: Uint8Array): Promise<Uint8Array>
  /** As `decompress`, likewise: rejects with anything where that throws. */
  decompressAsync?(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array>
}
