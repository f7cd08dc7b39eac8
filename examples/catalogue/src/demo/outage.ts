import { setTimeout as sleep } from 'node:timers/promises'

/** A server to be killed and started again. */
export interface Mortal {
  kill(): Promise<void>
  restart(): Promise<void>
}

/** Kills a server halfway through `durationSeconds` and starts it again after a sixth of it. Rejects when aborted. */
export async function outage(
  server: Mortal,
  durationSeconds: number,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await sleep(durationSeconds * 500, undefined, { signal })
  await server.kill()
  say('>>> redis-server killed (SIGKILL)')
  await sleep((durationSeconds * 1_000) / 6, undefined, { signal })
  try {
    await server.restart()
    say('>>> redis-server started again, empty')
  } catch (error) {
    say(`>>> redis-server did not start again: ${error instanceof Error ? error.message : error}`)
  }
}
