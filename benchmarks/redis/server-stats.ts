import { Redis } from 'ioredis'

/** What connections say by themselves, and what asks for these figures. */
const NOT_COUNTED = /^(ping|hello|client|info|config|select|subscribe|psubscribe|scan)(\||$)/

export async function resetCommands(client: Redis): Promise<void> {
  await client.config('RESETSTAT')
}

/** How many commands the server executed since {@link resetCommands}. */
export async function commandsSent(client: Redis): Promise<number> {
  const stats = await client.info('commandstats')
  return Array.from(stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm))
    .filter(([, name]) => !NOT_COUNTED.test(name as string))
    .reduce((sum, [, , calls]) => sum + Number(calls), 0)
}

export async function serverVersion(url: string): Promise<string> {
  const client = new Redis(url)
  try {
    const info = await client.info('server')
    return info.match(/^redis_version:(\S+)/m)?.[1] ?? 'unknown'
  } finally {
    client.disconnect()
  }
}
