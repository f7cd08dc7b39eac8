import { toCall, toTags } from './arguments.ts'
import { isPending } from './awaitable.ts'
import type { CallOptions, WriteOptions } from './cache-options.ts'
import { tracedWrite } from './channels.ts'
import type { Entry } from './entry.ts'
import { APPLIED, type WriteOutcome } from './outcome.ts'
import type { View } from './view.ts'

/** Writes a value; loads that are under way lose to it. */
export function set(
  view: View,
  key: string,
  value: unknown,
  options: WriteOptions | undefined,
): Promise<WriteOutcome> {
  return tracedWrite(view, 'set', 1, async () => {
    const { engine } = view
    const address = view.open(key)
    const call = toCall(options)
    const made = view.entry(value, options)
    const write = async (entry: Entry | undefined): Promise<WriteOutcome> => {
      if (!entry) return APPLIED // And removed since.
      engine.invalidate(address)
      const outcome = await engine.write('set', () => engine.store.set(address, entry, call))
      engine.counts.sets++
      engine.events.emit('set', { key: address, status: outcome.status })
      return outcome
    }
    const { pendingSets } = engine
    if (!isPending(made) && pendingSets.areFree([address])) return write(made)
    const entries = Promise.resolve(made).then(entry => new Map([[address, entry]]))
    return pendingSets.take([address], entries, left => write(left.get(address)))
  })
}

/** Removes a key. */
export function remove(view: View, key: string, options?: CallOptions): Promise<WriteOutcome> {
  return tracedWrite(view, 'delete', 1, async () => {
    const { engine } = view
    const address = view.open(key)
    const call = toCall(options)
    engine.pendingSets.outdate(address)
    engine.invalidate(address)
    const outcome = await engine.write('delete', () => engine.store.delete(address, call))
    engine.counts.deletes++
    engine.events.emit('delete', { key: address, status: outcome.status })
    return outcome
  })
}

/** Removes every key of a view. */
export function clear(view: View): Promise<WriteOutcome> {
  return tracedWrite(view, 'clear', 0, async () => {
    const { engine, prefix: scope } = view
    const { store } = engine
    engine.life.assertOpen()
    engine.pendingSets.outdateScope(scope)
    engine.invalidateScope(scope)
    const outcome = await engine.write('clear', () => (scope === '' ? store.clear() : store.clear(scope)))
    engine.events.emit('clear', { scope, status: outcome.status })
    return outcome
  })
}

/** Outdates what has one of the tags. */
export function invalidateTags(view: View, tags: readonly string[]): Promise<WriteOutcome> {
  return tracedWrite(view, 'invalidateTags', 0, async () => {
    const { engine } = view
    engine.life.assertOpen()
    const unique = toTags(tags)
    const tagging = engine.assertTagging()
    engine.invalidateTags(unique)
    return engine.write('invalidateTags', () => tagging.invalidateTags(unique))
  })
}
