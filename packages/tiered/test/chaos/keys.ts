/** The keys that all processes read and write, by number. */
export const KEYS = 48
const GROUPS = 4
const TAGS = 6

/** With the namespace it lies in. */
export function nameOf(key: number): string {
  return `${groupOf(key)}:k${key}`
}

export function groupOf(key: number): string {
  return `g${key % GROUPS}`
}

/** Every third key has a tag that it shares with others. */
export function tagsOf(key: number): readonly string[] | undefined {
  return key % 3 === 0 ? [`t${(key / 3) % TAGS}`] : undefined
}

/**
 * Half of the keys are written by everybody; of the others each has a single writer, who must see what it wrote whatever happens.
 *
 * @returns the process, or `undefined` if any may write it
 */
export function ownerOf(key: number, processes: number): number | undefined {
  return key % 2 === 0 ? undefined : ((key - 1) / 2) % processes
}

/** All keys that are outdated by a write of a kind to one of them. */
export function outdatedBy(kind: string, key: number): readonly number[] {
  const all = Array.from({ length: KEYS }, (_, other) => other)
  if (kind === 'clear') return all
  if (kind === 'clear of a namespace') return all.filter(other => groupOf(other) === groupOf(key))
  if (kind === 'invalidateTags') return all.filter(other => tagsOf(other)?.[0] === tagsOf(key)?.[0])
  return [key]
}
