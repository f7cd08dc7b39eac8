import { CacheError, kindOf } from './errors.ts'

/** Gets the values of many keys at once; a key that is not in the result was not found. */
export type ManyLoader<V> = (keys: readonly string[]) => Loaded<V> | Promise<Loaded<V>>

/** Values by key: a `Map`, or a plain object. */
export type Loaded<V> = ReadonlyMap<string, V> | Readonly<Record<string, V>>

/** Runs a loader. @returns the value of each of the keys, `undefined` if it was not found, in their order */
export async function loadEach<V>(
  loadMissing: ManyLoader<V>,
  keys: readonly string[],
): Promise<(V | undefined)[]> {
  const loaded = await loadMissing(keys)
  if (typeof loaded !== 'object' || loaded === null || Array.isArray(loaded)) {
    throw new CacheError(
      'INVALID_VALUE',
      `loadMissing must return a Map or an object of values by key; received ${kindOf(loaded)}`,
    )
  }
  if (loaded instanceof Map) return keys.map(key => loaded.get(key))
  const object = loaded as Readonly<Record<string, V>>
  return keys.map(key => (Object.hasOwn(object, key) ? object[key] : undefined))
}
