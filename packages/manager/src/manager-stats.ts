import type { CacheReport, StoreHealth, TierState, WarmUpProgress } from '@cache/core'

/** What a `CacheManager` is and did so far: a plain snapshot. */
export interface ManagerStats {
  /** What happened since it was made. */
  readonly stats: CacheReport
  /** What this process holds. */
  readonly memoryUsage: {
    readonly items: number
    /** An estimate. */
    readonly bytes: number
  }
  readonly redis: RedisStats
  readonly batch: {
    /** Keys per batch. */
    readonly size: number
    /** Keys of `batchSet`, `batchDelete` and `getMulti` calls that have not ended. */
    readonly queued: number
  }
  readonly warmup: Pick<WarmUpProgress, 'done' | 'failed'> & {
    readonly enabled: boolean
    /** Items waiting. */
    readonly queued: number
  }
}

export interface RedisStats {
  /** Whether there is a `redisUrl`. */
  readonly configured: boolean
  /** Whether Redis would answer now, as far as is known without asking it; `false` without `redisUrl`. */
  readonly available: boolean
  /** Whether memory can be trusted to hold what Redis holds, and who serves; `undefined` without `redisUrl`. */
  readonly state: TierState | undefined
  readonly pool: {
    /** Connections it is meant to have. */
    readonly size: number
    /** Connections that can take a command now. */
    readonly ready: number
    /** Commands waiting for an answer. */
    readonly inFlight: number
  }
  /** Invalidations that wait for Redis to come back. */
  readonly journal: number
}

const NO_POOL = { size: 0, ready: 0, inFlight: 0 }

/** @param health `undefined` without Redis */
export function redisStats(health: StoreHealth | undefined): RedisStats {
  const { size, ready, inFlight } = health?.pool ?? NO_POOL
  return {
    configured: health !== undefined,
    available: health?.available ?? false,
    state: health?.state,
    pool: { size, ready, inFlight },
    journal: health?.journal ?? 0,
  }
}
