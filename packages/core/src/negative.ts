import type { Engine } from './engine.ts'
import type { Entry, Metadata } from './entry.ts'
import type { Policy } from './policy.ts'

/** Reserved in metadata: it travels with an entry through every store, and no caller may set it. */
export const NEGATIVE_KEY = 'cache:negative'

/** The metadata of an entry that says "not found". */
const NEGATIVE: Metadata = /* @__PURE__ */ Object.freeze({ [NEGATIVE_KEY]: true })

/** Says "not found" for the `negativeTtl`; it is never served stale. */
export function negativeEntry(engine: Engine, policy: Policy, tags: readonly string[] | undefined): Entry {
  const { negativeTtl: ttl, jitter } = policy
  return engine.entry(null, { ttl, grace: 0, jitter, tags, metadata: NEGATIVE })
}

/** Whether an entry says that there is nothing under its key. */
export function isNegative({ value, metadata }: Entry): boolean {
  return value === null && metadata?.[NEGATIVE_KEY] === true
}

/** What a caller gets for an entry. */
export function unwrap(entry: Entry): unknown {
  return entry.value === null && isNegative(entry) ? undefined : entry.value
}
