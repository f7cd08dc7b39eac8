/** In microseconds. */
const DAY = 86_400_000_000

/**
 * Whether a number can be a version of the order of invalidations: microseconds since the epoch, at most a day ahead of this
 * machine's clock. What is later is no clock's but a hostile writer's: counted on from there, numbers would soon lose their
 * last digits, and one version be as late as the next.
 */
export function isVersion(version: unknown): version is number {
  return (
    Number.isSafeInteger(version) &&
    (version as number) >= 0 &&
    (version as number) <= Date.now() * 1_000 + DAY
  )
}

/** @returns `undefined` for what is none, see {@link isVersion} */
export function toVersion(text: string): number | undefined {
  const version = /^\d{1,16}$/.test(text) ? Number(text) : undefined
  return isVersion(version) ? version : undefined
}
