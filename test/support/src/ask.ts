import { Redis } from 'ioredis'

/** Asks one server something over a connection of its own; rejects within about a second if it does not answer. */
export async function ask<T>(
  { port }: { readonly port: number },
  question: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    // A sentinel, and a cluster that is down, answer questions without being ready for data.
    enableReadyCheck: false,
    retryStrategy: null,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
    disconnectTimeout: 50,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return await question(client)
  } finally {
    client.disconnect()
  }
}

/** The `name:value` lines of an INFO answer. */
export function fieldsOf(info: unknown): Readonly<Record<string, string>> {
  const lines = String(info).split('\r\n')
  return Object.fromEntries(lines.map(line => line.split(/:(.*)/, 2)).filter(pair => pair.length === 2))
}
