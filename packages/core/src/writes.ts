import { toTags } from './arguments.ts'
import { isPending } from './awaitable.ts'
import type { SetOptions } from './cache-options.ts'
import type { WriteOutcome } from './outcome.ts'
import type { View } from './view.ts'

/** Writes a value; loads that are under way lose to it. */
export async function set(
  view: View,
  key: string,
  value: unknown,
  options: SetOptions | undefined,
): Promise<WriteOutcome> {
  const { engine } = view
  const address = view.open(key)
  const made = view.entry(value, options)
  const entry = isPending(made) ? await made : made
  engine.invalidate(address)
  const outcome = await engine.write('set', () => engine.store.set(address, entry))
  engine.counts.sets++
  engine.events.emit('set', { key: address, status: outcome.status })
  return outcome
}

/** Removes a key. */
export async function remove(view: View, key: string): Promise<WriteOutcome> {
  const { engine } = view
  const address = view.open(key)
  engine.invalidate(address)
  const outcome = await engine.write('delete', () => engine.store.delete(address))
  engine.counts.deletes++
  engine.events.emit('delete', { key: address, status: outcome.status })
  return outcome
}

/** Removes every key of a view. */
export async function clear({ engine, prefix: scope }: View): Promise<WriteOutcome> {
  engine.assertOpen()
  engine.invalidateScope(scope)
  const { store } = engine
  const outcome = await engine.write('clear', () => (scope === '' ? store.clear() : store.clear(scope)))
  engine.events.emit('clear', { scope, status: outcome.status })
  return outcome
}

/** Outdates what has one of the tags. */
export async function invalidateTags({ engine }: View, tags: readonly string[]): Promise<WriteOutcome> {
  engine.assertOpen()
  const unique = toTags(tags)
  const tagging = engine.assertTagging()
  engine.invalidateTags(unique)
  return engine.write('invalidateTags', () => tagging.invalidateTags(unique))
}
