import { CacheError } from '@cache/core'

/** A list in pieces of at most `size`. */
export function chunked<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = []
  for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size))
  return chunks
}

/**
 * Does `task` for every chunk, `width` at a time. A chunk that fails concerns itself alone, but after one timed
 * out, those not yet begun are not begun: waiting for each of them in turn would have no bound.
 *
 * @param onFailure hears of every chunk that was not done
 */
export async function eachChunk<T>(
  chunks: readonly T[],
  width: number,
  task: (chunk: T) => Promise<void>,
  onFailure: (chunk: T, error: CacheError) => void,
): Promise<void> {
  const queue = chunks.values()
  let timeout: CacheError | undefined
  const work = async (): Promise<void> => {
    for (const chunk of queue) {
      if (timeout) {
        onFailure(chunk, timeout)
        continue
      }
      try {
        await task(chunk)
      } catch (thrown) {
        if (!(thrown instanceof CacheError)) throw thrown
        if (thrown.code === 'TIMEOUT') timeout = thrown
        onFailure(chunk, thrown)
      }
    }
  }
  if (chunks.length === 1) return work()
  await Promise.all(Array.from({ length: Math.min(width, chunks.length) }, work))
}
