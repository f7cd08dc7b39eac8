import type { PolicyName } from '@cache/memory'

export interface Config {
  readonly host: string
  readonly port: number
  readonly metricsPort: number
  readonly redisUrl?: string
  /** Products in memory. */
  readonly maxItems: number
  readonly policy: PolicyName
  /** Seconds. */
  readonly ttl: number
}

/** Reads the environment; see `.env.example`. @throws Error naming the variable and what it accepts */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  return {
    host: env.HOST || '127.0.0.1',
    port: integer(env, 'PORT', 3_000, 0),
    metricsPort: integer(env, 'METRICS_PORT', 8_000, 0),
    maxItems: integer(env, 'CACHE_MAX_ITEMS', 10_000, 1),
    ttl: integer(env, 'CACHE_TTL', 300, 1),
    // MemoryStore refuses a name that it does not know, and says which it does.
    policy: (env.CACHE_POLICY || 'lru') as PolicyName,
    ...(env.REDIS_URL ? { redisUrl: env.REDIS_URL } : {}),
  }
}

function integer(env: NodeJS.ProcessEnv, name: string, fallback: number, minimum: number): number {
  const text = env[name]
  if (!text) return fallback
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= minimum) return value
  throw new Error(`${name} must be an integer >= ${minimum}; received "${text}"`)
}
