/** Who leaves memory when it is full. */
export const CacheStrategy = {
  /** The least recently used. */
  LRU: 'lru',
  /** The least frequently used. */
  LFU: 'lfu',
  /** The oldest. */
  FIFO: 'fifo',
  /** Any. */
  RANDOM: 'random',
  /** The oldest that was not used since the last round (SIEVE). */
  SIEVE: 'sieve',
  /** Who was not used twice while new, or not again since (S3-FIFO). */
  S3FIFO: 's3-fifo',
  /** The less often asked for of one newly come and one long there (W-TinyLFU): hits most on most workloads. */
  TINYLFU: 'tiny-lfu',
} as const

export type CacheStrategy = (typeof CacheStrategy)[keyof typeof CacheStrategy]
