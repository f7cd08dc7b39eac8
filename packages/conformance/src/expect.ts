import { setTimeout as sleep } from 'node:timers/promises'
import { inspect, isDeepStrictEqual } from 'node:util'

/** What a case saw that it should not have; {@link runCase} adds the rule. */
class Unexpected extends Error {}

/** Fails unless something holds. @param what says what should have been, for whoever wrote the store */
export function check(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Unexpected(what)
}

/** Fails unless two values are deeply equal. @param what names what was looked at */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Unexpected(`${what}: expected ${shown(expected)}, but it is ${shown(actual)}`)
}

/** Waits until something holds. @param what says what should have come to be */
export async function eventually(
  holds: () => unknown | Promise<unknown>,
  what: string,
  limitMs = 5_000,
): Promise<void> {
  for (const end = Date.now() + limitMs; ; await sleep(5)) {
    if (await holds()) return
    check(Date.now() < end, `${what}: not within ${limitMs / 1_000} s`)
  }
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 80 })
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}
