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
} as const

export type CacheStrategy = (typeof CacheStrategy)[keyof typeof CacheStrategy]
