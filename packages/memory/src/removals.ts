import { CacheError, type Clock } from '@cache/core'

/**
 * Why an entry left:
 *
 * - `explicit`: it was deleted.
 * - `replaced`: its key was set again (to another value).
 * - `expired`: its time was up.
 * - `evicted`: there was no more room.
 * - `cleared`: the whole map was cleared.
 */
export type RemovalCause = 'explicit' | 'replaced' | 'expired' | 'evicted' | 'cleared'

export type RemovalListener<K, V> = (key: K, value: V, cause: RemovalCause) => void

/** Removals that listeners cause while they are told; beyond these the rest is told in a later turn. */
const MAX_CAUSED = 1_000

/**
 * Tells a listener what left a map, after the map has finished what it was doing: a listener finds it whole and may
 * change it. What these changes remove is told next, never in the middle. A listener that throws is reported once as
 * a process warning, and stops neither the map nor the caller.
 */
export class Removals<K, V> {
  readonly #listener: RemovalListener<K, V>
  readonly #clock: Clock
  /** Triples, flat: a removal allocates nothing of its own. */
  #keys: K[] = []
  #values: V[] = []
  #causes: RemovalCause[] = []
  #telling = false
  #warned = false

  constructor(listener: RemovalListener<K, V>, clock: Clock) {
    this.#listener = listener
    this.#clock = clock
  }

  add(key: K, value: V, cause: RemovalCause): void {
    this.#keys.push(key)
    this.#values.push(value)
    this.#causes.push(cause)
  }

  /** Tells the listener what was added since. Within a listener it does nothing: its turn comes. */
  tell(): void {
    if (this.#telling || this.#keys.length === 0) return
    this.#telling = true
    const limit = this.#keys.length + MAX_CAUSED
    let told = 0
    for (; told < this.#keys.length && told < limit; told++) {
      this.#call(this.#keys[told] as K, this.#values[told] as V, this.#causes[told] as RemovalCause)
    }
    this.#keys = this.#keys.slice(told)
    this.#values = this.#values.slice(told)
    this.#causes = this.#causes.slice(told)
    this.#telling = false
    if (this.#keys.length > 0) this.#clock.setTimeout(() => this.tell(), 0).unref?.()
  }

  #call(key: K, value: V, cause: RemovalCause): void {
    try {
      this.#listener(key, value, cause)
    } catch (thrown) {
      if (this.#warned) return
      this.#warned = true
      process.emitWarning(
        new CacheError('STORE', 'onRemove threw; the removal stands, further errors are not shown', {
          cause: thrown,
        }),
      )
    }
  }
}
