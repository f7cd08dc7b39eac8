import { setTimeout as sleep } from 'node:timers/promises'

export interface Product {
  readonly id: number
  readonly name: string
  readonly priceCents: number
}

/** Stands where your database is: three products, and every question takes its time. */
export class Products {
  /** Questions asked so far. */
  queries = 0
  readonly #rows = new Map<number, Product>([
    [1, { id: 1, name: 'Teapot', priceCents: 2_400 }],
    [2, { id: 2, name: 'Cup', priceCents: 650 }],
    [3, { id: 3, name: 'Saucer', priceCents: 380 }],
  ])

  async find(id: number): Promise<Product | undefined> {
    this.queries++
    await sleep(20)
    return this.#rows.get(id)
  }

  /** The product as it is now; `undefined` if there is none. */
  async setPrice(id: number, priceCents: number): Promise<Product | undefined> {
    await sleep(20)
    const row = this.#rows.get(id)
    if (!row) return undefined
    const changed = { ...row, priceCents }
    this.#rows.set(id, changed)
    return changed
  }
}
