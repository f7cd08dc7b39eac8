import { parentPort, workerData } from 'node:worker_threads'
import { Database } from './database.ts'
import type { Answer, Question } from './origin.ts'

// The thread that owns the database: one question at a time, in the order they come.
const database = new Database(workerData as number)
parentPort?.on('message', ({ id, ...question }: Question) => {
  parentPort?.postMessage({ id, ...answer(question) } satisfies Answer)
})
parentPort?.postMessage('ready')

function answer(question: Omit<Question, 'id'>): Omit<Answer, 'id'> {
  try {
    const { productId, priceCents } = question
    const result =
      priceCents === undefined ? database.product(productId) : database.updatePrice(productId, priceCents)
    return { result }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}
