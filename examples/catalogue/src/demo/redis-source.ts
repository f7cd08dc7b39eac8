import { findRedisServer, OwnRedis } from './redis.ts'

/** Where the far tier comes from: nowhere, this demo, or `REDIS_URL`. */
export type RedisOrigin = 'none' | 'own' | 'url'

export interface RedisSource {
  readonly origin: RedisOrigin
  readonly url?: string
  /** Only a server of the demo's own may be killed. */
  readonly own?: OwnRedis
}

/** `REDIS_URL`, else a server of our own, else none; `say` tells which. @throws UsageError see {@link findRedisServer} */
export async function provideRedis(
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
): Promise<RedisSource> {
  if (env.REDIS_URL) {
    say('redis    the one of REDIS_URL; it will not be killed')
    return { origin: 'url', url: env.REDIS_URL }
  }
  const binary = findRedisServer(env)
  if (binary === undefined) {
    say('redis    none: no REDIS_URL, and no redis-server on the PATH or in REDIS_SERVER; memory only')
    return { origin: 'none' }
  }
  try {
    const own = await OwnRedis.start(binary)
    say(`redis    ${binary} at ${own.url}; halfway it will be killed`)
    return { origin: 'own', url: own.url, own }
  } catch (error) {
    say(`redis    none: ${error instanceof Error ? error.message : error}; memory only`)
    return { origin: 'none' }
  }
}
