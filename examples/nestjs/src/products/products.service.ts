import { setTimeout as sleep } from 'node:timers/promises'
import { Injectable, NotFoundException } from '@nestjs/common'
import { AppCache } from '../cache/cache.module.js'

export interface Product {
  readonly id: number
  readonly name: string
  readonly priceCents: number
}

/** Stands where your database is: three products, and every question takes its time. */
@Injectable()
export class ProductsService {
  /** Questions asked so far. */
  queries = 0
  private readonly rows = new Map<number, Product>([
    [1, { id: 1, name: 'Teapot', priceCents: 2_400 }],
    [2, { id: 2, name: 'Cup', priceCents: 650 }],
    [3, { id: 3, name: 'Saucer', priceCents: 380 }],
  ])

  constructor(private readonly cache: AppCache) {}

  async find(id: number): Promise<Product> {
    this.queries++
    await sleep(20)
    const product = this.rows.get(id)
    if (!product) throw new NotFoundException(`There is no product ${id}`)
    return product
  }

  async all(): Promise<readonly Product[]> {
    this.queries++
    await sleep(20)
    return [...this.rows.values()]
  }

  async setPrice(id: number, priceCents: number): Promise<Product> {
    const changed = { ...(await this.find(id)), priceCents }
    this.rows.set(id, changed)
    // After the database has it: the product's own page, and every list it is in.
    await this.cache.invalidateTags([`product:${id}`])
    return changed
  }
}
