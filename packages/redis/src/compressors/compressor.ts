/** Makes payloads smaller. Its id is stored with every payload it compressed. */
export interface Compressor {
  /** 1 to 255; 0 stands for no compression. */
  readonly id: number
  readonly name: string
  compress(bytes: Uint8Array): Buffer
  /** @throws anything if the result would be longer than `maxBytes`, before it is allocated */
  decompress(bytes: Uint8Array, maxBytes: number): Buffer
}
