import { APPLIED, isTouching, type Store, type WriteOutcome } from '@cache/core'

/** Moves the times of an entry, in place or by writing it again where the store cannot. */
export async function touch(
  store: Store,
  key: string,
  freshUntil: number,
  expiresAt: number,
  tags?: readonly string[],
): Promise<WriteOutcome> {
  if (isTouching(store)) return store.touch(key, freshUntil, expiresAt, tags)
  const entry = await store.get(key)
  return entry ? store.set(key, { ...entry, freshUntil, expiresAt }) : APPLIED
}
