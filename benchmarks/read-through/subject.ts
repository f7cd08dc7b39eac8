export interface Item {
  readonly id: string
}

export type Load = () => Promise<Item>

/** A read-through cache that is to be measured. */
export interface Subject {
  /** Awaited: the value of a key, loaded if it is not there. */
  get(key: string, load: Load): Promise<unknown>
  close?(): unknown
}

export interface Contestant {
  readonly name: string
  /** Those whose versions matter. */
  readonly packages: readonly string[]
  /** Beside whom its hits are measured: an async function that does one `Map.get`, unless it is another contestant. */
  readonly beside?: string
  /** @param keys how many it has to hold  @param redis where a server listens */
  open(keys: number, redis: string): Promise<Subject>
}

export const TTL_S = 300
