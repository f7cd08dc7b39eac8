/** Begins, behind the prefix, the keys that are not of entries. An entry's own key that begins so is told apart by a second one. */
const OWN = '\0'
/** Keeps our own keys together on one node of a cluster, whatever the prefix. */
const TOGETHER = `${OWN}{order}`

/** The Redis keys under a prefix: one for each entry, and a few of our own that no entry can have. */
export class Keyspace {
  readonly prefix: string
  /** The version of the latest invalidation of tags or scopes. */
  readonly last: string
  /** Scopes that were cleared and not yet swept, with their versions. */
  readonly clears: string
  /** The tags invalidated lately, by version. */
  readonly recent: string
  /** Left behind what was confirmed; see `Marks`. */
  readonly mark: string

  constructor(prefix: string) {
    this.prefix = prefix
    this.last = `${prefix}${TOGETHER}last`
    this.clears = `${prefix}${TOGETHER}clears`
    this.recent = `${prefix}${TOGETHER}recent`
    this.mark = `${prefix}${TOGETHER}mark`
  }

  /** Of an entry or, as well, of all entries that begin with `key`. */
  keyOf(key: string): string {
    return key.charCodeAt(0) === 0 ? this.prefix + OWN + key : this.prefix + key
  }

  tagKeyOf(tag: string): string {
    return `${this.prefix}${TOGETHER}tag:${tag}`
  }

  /** @returns the entry's key, `undefined` for a key of our own */
  entryKeyOf(redisKey: string): string | undefined {
    const key = redisKey.slice(this.prefix.length)
    if (!key.startsWith(OWN)) return key
    return key.startsWith(OWN + OWN) ? key.slice(OWN.length) : undefined
  }
}
