import type { RedisLike } from './redis-like.ts'

/** Where a connection leads. */
export interface Identity {
  /** Of one life of one server: another after a restart, and at another server. */
  readonly runId: string
  /** The connection as the server knows it; `undefined` if we may not ask. */
  readonly clientId: string | undefined
}

/** @returns `undefined` if the server does not let us know, or the connection was lost */
export async function identify(client: RedisLike): Promise<Identity | undefined> {
  const asked = client.call('CLIENT', 'ID').then(String, () => undefined)
  const [runId, clientId] = await Promise.all([runIdOf(client), asked])
  return runId === undefined ? undefined : { runId, clientId }
}

/** @returns as {@link identify} */
export async function runIdOf(client: RedisLike): Promise<string | undefined> {
  const info = await client.call('INFO', 'server').then(String, () => '')
  return /^run_id:(\w+)/m.exec(info)?.[1]
}

/**
 * Makes sure that nothing more is executed of what was sent on a connection that is lost to us: the server, or something
 * on the way to it, may still hold it.
 */
export async function fence(client: RedisLike, lost: Identity | undefined, now: Identity): Promise<void> {
  // To another server, or one that began anew, the id means another connection, or none.
  if (lost?.clientId === undefined || lost.runId !== now.runId) return
  await client.call('CLIENT', 'KILL', 'ID', lost.clientId)
}
