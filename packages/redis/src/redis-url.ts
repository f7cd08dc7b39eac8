import { CacheError, invalidOption } from '@cache/core'
import type { RedisOptions } from 'ioredis'

const ACCEPTED =
  'like redis://user:password@host:6379/0 (or rediss:// for TLS), special characters percent-encoded, ' +
  'the port 1 to 65535 and ?family=, if given, 4, 6 or 0 (either)'

/**
 * Checks that a URL says where Redis is, as the `url` of a `RedisStore` does, without connecting.
 *
 * @param name of the option or variable, for the message
 * @throws CacheError `INVALID_OPTION`, never with the URL or anything of it
 */
export function assertRedisUrl(url: unknown, name: string): void {
  parseRedisUrl(url, name)
}

/**
 * `redis[s]://[user[:password]@]host[:port][/database][?family=4|6|0]`. Parsed here because ioredis lets any
 * parameter of a URL override the options it is given.
 *
 * @throws CacheError `INVALID_OPTION`, never with the URL or anything of it
 */
export function parseRedisUrl(url: unknown, name: string): RedisOptions {
  if (typeof url !== 'string') throw invalidOption(name, url, ACCEPTED)
  const options = attempt(() => read(new URL(url)))
  if (options) return options
  // Nothing of the text is told, and no cause: any part of a malformed URL may be a password.
  throw new CacheError(
    'INVALID_OPTION',
    `${name} must be ${ACCEPTED}; the one received is not (and is not repeated here, it may hold a password)`,
  )
}

/** @returns `undefined` for a URL that is none of ours; also throws, for one that is not percent-encoded */
function read(url: URL): RedisOptions | undefined {
  const { protocol, port, hash, searchParams } = url
  const [host, username, password] = [url.hostname, url.username, url.password].map(decodeURIComponent)
  const database = url.pathname.replace(/^\/$/, '')
  const family = searchParams.get('family') ?? '0'
  if (!/^rediss?:$/.test(protocol) || !host || port === '0') return undefined
  // A fragment is the rest of a password with a # that is not percent-encoded.
  if (!/^(\/\d{1,9})?$/.test(database) || !/^[046]$/.test(family) || hash) return undefined
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 6379 : Number(port),
    db: Number(database.slice(1)),
    ...(username && { username }),
    ...(password && { password }),
    ...(family !== '0' && { family: Number(family) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  }
}

function attempt<T>(fn: () => T): T | undefined {
  try {
    return fn()
  } catch {
    return undefined
  }
}
