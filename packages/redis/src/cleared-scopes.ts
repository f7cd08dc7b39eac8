import { toVersion } from './version.ts'

/**
 * Scopes that were cleared, each with the version of that. A key's scopes are among its beginnings, as long as some scope is:
 * to look them up takes a step for each length, however many scopes there are.
 */
export class ClearedScopes implements Iterable<[scope: string, version: number]> {
  readonly #versions = new Map<string, number>()
  /** How many scopes there are of each length. */
  readonly #lengths = new Map<number, number>()
  #latest = 0

  get size(): number {
    return this.#versions.size
  }

  get(scope: string): number | undefined {
    return this.#versions.get(scope)
  }

  /** A scope was cleared: the later version counts. */
  add(scope: string, version: number): void {
    const known = this.#versions.get(scope)
    if (known === undefined) this.#lengths.set(scope.length, (this.#lengths.get(scope.length) ?? 0) + 1)
    this.#versions.set(scope, Math.max(version, known ?? 0))
    this.#latest = Math.max(version, this.#latest)
  }

  delete(scope: string): void {
    if (!this.#versions.delete(scope)) return
    const left = (this.#lengths.get(scope.length) ?? 0) - 1
    if (left > 0) this.#lengths.set(scope.length, left)
    else this.#lengths.delete(scope.length)
  }

  clear(): void {
    this.#versions.clear()
    this.#lengths.clear()
    this.#latest = 0
  }

  /** Whether a scope of the key was cleared under a later version. */
  isLater(key: string, version: number): boolean {
    return version < this.#latest && version < this.versionOf(key)
  }

  /** The latest version under which a scope of the key was cleared; 0 if none was. */
  versionOf(key: string): number {
    let latest = 0
    for (const length of this.#lengths.keys()) {
      if (length <= key.length) latest = Math.max(latest, this.#versions.get(key.slice(0, length)) ?? 0)
    }
    return latest
  }

  [Symbol.iterator](): MapIterator<[scope: string, version: number]> {
    return this.#versions.entries()
  }
}

/** If they are unreadable or lost, all that is older than the latest version counts as cleared. */
export function parseClears(stored: Buffer | null | undefined, latest: number): Map<string, number> {
  const clears = new Map<string, number>()
  const parsed = stored ? parse(stored.toString()) : undefined
  for (const [scope, text] of Object.entries(parsed ?? { '': '' })) {
    const version = toVersion(String(text))
    if (version === undefined) return new Map([['', latest]])
    clears.set(scope, version)
  }
  return clears
}

function parse(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}
