import type { InspectOptions, inspect } from 'node:util'
import type { TierStats } from './store.ts'

/** Where `util.inspect` and `console.log` of Node look for a method that says how an object is shown. */
const CUSTOM = Symbol.for('nodejs.util.inspect.custom')

/**
 * Has `util.inspect` show the objects of a class as its name and some facts, and nothing else of them. For the constructor: there,
 * private fields can be told of. A static block would keep the class in bundles that do not use it.
 */
export function inspectable<T extends object>(
  type: { readonly name: string; readonly prototype: T },
  factsOf: (object: T) => object,
): void {
  if (Object.hasOwn(type.prototype, CUSTOM)) return
  const show = function (this: T, depth: number, options: InspectOptions, show: typeof inspect): string {
    if (depth < 0 || this === type.prototype) return `[${type.name}]`
    const facts = Object.entries(factsOf(this)).filter(([, fact]) => fact !== undefined)
    return `${type.name} ${show(Object.fromEntries(facts), { ...options, depth: 3 })}`
  }
  Object.defineProperty(type.prototype, CUSTOM, { value: show })
}

/** What tiers hold. */
export function sizesOf(tiers: readonly TierStats[]): object[] {
  return tiers.map(({ tier, items, bytes }) => ({
    tier,
    ...(items !== undefined && { items }),
    ...(bytes !== undefined && { bytes }),
  }))
}
