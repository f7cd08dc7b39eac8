import { isPending } from './awaitable.ts'

/** Calls a guest, an observer or a listener: what it throws, now or from a promise, is not the cache's. */
export function attempt<T>(guest: () => T): T | undefined {
  try {
    const result = guest()
    if (isPending(result)) result.then(undefined, () => {})
    return result
  } catch {
    return undefined
  }
}
