/** What was asked for, in order. */
export interface Trace {
  readonly name: string
  /** Numbers of keys, 0 to `unique` - 1 in order of first appearance. */
  readonly references: Uint32Array
  readonly unique: number
}

/** Gathers a trace key by key: four bytes a reference, and each distinct key once. */
export class TraceBuilder {
  readonly #numbers = new Map<string, number>()
  #references = new Uint32Array(1_024)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** @throws RangeError beyond the 2^24 distinct keys that a `Map` can tell apart */
  add(key: string): void {
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(detached(key), number)
    }
    if (this.#length === this.#references.length) this.#grow()
    this.#references[this.#length++] = number
  }

  build(name: string): Trace {
    return { name, references: this.#references.subarray(0, this.#length), unique: this.#numbers.size }
  }

  #grow(): void {
    const larger = new Uint32Array(this.#references.length * 2)
    larger.set(this.#references)
    this.#references = larger
  }
}

/** A copy: a piece cut from a line would keep alive the whole block of the file that the line is in. */
function detached(text: string): string {
  return Buffer.from(text).toString()
}
