import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { seededRandom } from '../random.ts'
import { UsageError } from './usage-error.ts'

/** What is asked for, in order: products by their id, 1 to the size of the catalogue. */
export interface Trace {
  /** In words, for the table. */
  readonly name: string
  readonly ids: Uint32Array<ArrayBuffer>
}

/**
 * Reads a file of keys, one a line (`.gz`: unpacked first), and gives each distinct key a product, in order of
 * first appearance. Beyond `products` distinct keys, several share a product.
 *
 * @throws UsageError if the file cannot be read or holds no key
 */
export async function readTrace(file: string, products: number): Promise<Trace> {
  const keys = (await readText(file)).split('\n').map(line => line.trim())
  const idOf = new Map<string, number>()
  const ids: number[] = []
  for (const key of keys) {
    if (key === '') continue
    let id = idOf.get(key)
    if (id === undefined) {
      id = 1 + (idOf.size % products)
      idOf.set(key, id)
    }
    ids.push(id)
  }
  if (ids.length === 0) throw new UsageError(`--trace must name a file of keys, one a line; ${file} has none`)
  const shared = idOf.size > products ? `, sharing ${count(products)} products` : ''
  const name = `${basename(file)}: ${count(ids.length)} references, ${count(idOf.size)} keys${shared}`
  return { name, ids: Uint32Array.from(ids) }
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = await readFile(file)
    return (file.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes).toString()
  } catch (error) {
    throw new UsageError(`--trace: cannot read ${file}: ${error instanceof Error ? error.message : error}`)
  }
}

/** Skew of the built-in traffic: 0.99, as in YCSB (Cooper et al., SoCC 2010). */
const SKEW = 0.99

/** Traffic as web shops see it: the product of rank r is asked for in proportion to 1 / r^0.99 (Zipf). */
export function zipfTrace(products: number, length: number, seed = 1): Trace {
  const random = seededRandom(seed)
  const cumulative = new Float64Array(products)
  let sum = 0
  for (let rank = 1; rank <= products; rank++) {
    sum += rank ** -SKEW
    cumulative[rank - 1] = sum
  }
  const ids = Uint32Array.from({ length }, () => 1 + firstAbove(cumulative, random() * sum))
  return { name: `Zipf ${SKEW} over ${count(products)} products, seed ${seed}`, ids }
}

/** The index of the first element above `target` in a sorted array. */
function firstAbove(sorted: Float64Array, target: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) > target) high = middle
    else low = middle + 1
  }
  return low
}

function count(n: number): string {
  return n.toLocaleString('en')
}
