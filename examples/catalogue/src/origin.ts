import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Product } from './database.ts'

/** Where products come from when no cache has them. */
export interface Origin {
  /** Product pages read so far: what a cache is there to keep small. */
  readonly queries: number
  /** @returns `null` if there is no such product */
  product(id: number): Promise<Product | null>
  /** @returns the product's new revision, or `null` if there is no such product */
  updatePrice(id: number, priceCents: number): Promise<number | null>
  close(): Promise<void>
}

/** A query for a page, or with `priceCents` an update. */
export interface Question {
  readonly id: number
  readonly productId: number
  readonly priceCents?: number
}

export interface Answer {
  readonly id: number
  readonly result?: Product | number | null
  readonly error?: string
}

/** How many products the catalogue has. */
export const PRODUCTS = 20_000

/** Starts the database on a thread of its own, as a database server would be, and waits until it is filled. */
export async function openOrigin(products: number = PRODUCTS): Promise<Origin> {
  const worker = new Worker(new URL('./origin-worker.ts', import.meta.url), { workerData: products })
  await once(worker, 'message')
  return new WorkerOrigin(worker)
}

class WorkerOrigin implements Origin {
  readonly #worker: Worker
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>()
  #failure: unknown
  #lastId = 0
  #queries = 0

  constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (answer: Answer) => this.#settle(answer))
    worker.on('error', error => this.#fail(error))
    worker.on('exit', () => this.#fail(closed()))
  }

  get queries(): number {
    return this.#queries
  }

  product(id: number): Promise<Product | null> {
    this.#queries++
    return this.#ask({ productId: id }) as Promise<Product | null>
  }

  updatePrice(id: number, priceCents: number): Promise<number | null> {
    return this.#ask({ productId: id, priceCents }) as Promise<number | null>
  }

  /** Rejects what still waits, at once: an answer under way would come too late for some and in time for others. */
  async close(): Promise<void> {
    this.#fail(closed())
    await this.#worker.terminate()
  }

  #ask(question: Omit<Question, 'id'>): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure)
    const answer = Promise.withResolvers<unknown>()
    const id = ++this.#lastId
    this.#pending.set(id, answer)
    this.#worker.postMessage({ id, ...question } satisfies Question)
    return answer.promise
  }

  #settle({ id, result, error }: Answer): void {
    const waiting = this.#pending.get(id)
    this.#pending.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(error))
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const waiting of this.#pending.values()) waiting.reject(error)
    this.#pending.clear()
  }
}

function closed(): Error {
  return new Error('The database is closed')
}
