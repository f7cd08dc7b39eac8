import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `check` holds, looking every 5 ms; fails after `withinMs` with what was waited for. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(5)
  }
}
