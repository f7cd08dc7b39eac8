/**
 * What a store method may return: the result, or a promise of it. A store that has the answer at hand returns
 * it directly, and the layers above stay synchronous until they must wait.
 */
export type Awaitable<T> = T | Promise<T>

/** Whether a result still has to be waited for. */
export function isPending<T>(result: Awaitable<T>): result is Promise<T> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Applies `next` to a result now if it is here, later if it is pending: `then` without a needless promise. */
export function chain<T, R>(result: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isPending(result) ? result.then(next) : next(result)
}
