/**
 * Every rule that a case can break, in one sentence. docs/custom-stores.md has a section of the same name for each, with
 * the reason and what to do.
 */
export const RULES = {
  // Every store
  whole: 'What get returns is the entry that was set: its value, its times, its tags and its metadata.',
  missing: 'A key that is not there is undefined, and nothing is thrown for it.',
  outcome: 'Every write resolves to an outcome, and it is applied only if the write can be read.',
  replace: 'The last write of a key is what is read.',
  delete: 'A deleted key is gone; deleting it is applied whether it was there or not.',
  clear:
    'clear(scope) removes the keys that begin with these very characters and no others; without a scope, all of its own.',
  space: 'A store touches only what is its own: two stores with different prefixes do not see each other.',
  capability: 'A store offers the capabilities that it was said to offer, each with all of its methods.',
  // Time
  expiry: 'An entry is never returned at or after its expiresAt.',
  stale: 'An entry is kept until its expiresAt, also when its freshUntil has passed.',
  'written-expired': 'Writing an entry whose time is already up removes what the key held, and is applied.',
  'long-life': 'An entry may live for decades: no timer and no field overflows.',
  // Values and keys
  falsy: '0, the empty string, false and null are values.',
  values: 'A value comes back as it was or is refused; it never comes back as another one.',
  refusal:
    'What cannot be kept is refused with SERIALIZATION or INVALID_VALUE, without quoting it, and the elder entry stays.',
  keys: 'An entry is found under exactly its key, whatever characters that has, or its write is refused.',
  // Batching
  batch: 'A batch does what the single calls would have done.',
  'batch-account': 'Of a batch every key is accounted for: found or missing, written or named in failures.',
  // Concurrency
  order: 'Writes of one key take effect in the order in which they were called, awaited or not.',
  'no-mixture': 'A read returns one entry that was written to its key, and never parts of several.',
  // Capabilities
  near: 'getFresh answers at once: with what get would give, or with nothing.',
  'near-fresh': 'getFresh gives only what is fresh.',
  touch: 'touch moves freshUntil and expiresAt to later times, and changes nothing else.',
  'touch-never-creates': 'touch neither creates a key nor shortens its life.',
  'replace-if': 'replace writes only over the entry it was told of, and is superseded otherwise.',
  tags: 'After invalidateTags no entry with one of the tags that was written before is returned; all others are.',
  check: 'check throws for what set would refuse, and for nothing else.',
  enumerate:
    'keys(scope) lists every key that is there and begins with these very characters, and nothing that was not written.',
  measure: 'measure answers at once with plain numbers that follow what happens.',
  health: 'health answers at once, and says available of a store that answers.',
  observe: 'observe returns a function that ends the observation.',
  lease: 'Of all who ask for a missing key one is granted the lease, until it lapses, is filled or given up.',
  'lease-lost':
    'Whoever writes, removes or clears a key takes its lease away: what was loaded under it is superseded.',
  'lease-stale':
    'A stale entry is handed out beside the lease, or as it is; it is not lost to those who wait.',
  coherent:
    'Every write is announced to the others who share the data, in the name of the bus, when it can be read.',
  mark: 'A mark is later than every one before.',
  // Faults
  'fault-bounded': 'Every call ends, whatever happens to what is behind the store.',
  'fault-read': 'A read that could not be answered throws or rejects: a miss means that there is no entry.',
  'fault-write': 'A write that was not done is not applied: its outcome says so, or it throws.',
  'fault-recovery': 'When what is behind the store is back, the store works again by itself.',
  // Cleanup
  close: 'close ends by itself, also a second time and with writes under way; later calls settle.',
  'close-all': 'After close nothing of the store keeps the process alive.',
  // Buses
  'bus-delivery':
    'What is published reaches every listener of every bus on the channel, with the id of the sender as its source.',
  'bus-order': 'The messages of one bus arrive in the order in which they were published.',
  'bus-content':
    'An invalidation arrives as it was published, whatever characters its keys, tags and scope have.',
  'bus-id': 'The id of a bus is its own.',
  'bus-unsubscribe': 'The function that subscribe and onGap return ends the subscription.',
  'bus-gap':
    'Whenever messages may have been missed there is a gap: one when the stream breaks, one when it is back.',
  'bus-close': 'close ends by itself, also a second time, and leaves nothing that keeps the process alive.',
  // Codecs
  'codec-round-trip': 'decode gives the value that encode was given.',
  'codec-fresh': 'Every decode gives a new value, which shares nothing with the bytes or with other values.',
  'codec-refusal':
    'What a codec cannot hold it refuses with SERIALIZATION or INVALID_VALUE, without quoting it.',
  'codec-hostile':
    'Bytes that are not its own make a codec throw CORRUPT or give some value; they never reach a prototype.',
} as const

/** The name of a rule, which is also its anchor in docs/custom-stores.md. */
export type RuleName = keyof typeof RULES

/** Where a rule is explained. */
export function docsOf(rule: RuleName): string {
  return `docs/custom-stores.md#${rule}`
}
