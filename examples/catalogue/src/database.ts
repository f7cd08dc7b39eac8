import { DatabaseSync } from 'node:sqlite'
import { seededRandom } from './random.ts'

/** A product page: what `GET /products/:id` answers. */
export interface Product {
  readonly id: number
  readonly name: string
  readonly category: string
  readonly description: string
  readonly priceCents: number
  /** 1 at first, one more with every price change. */
  readonly revision: number
  readonly rating: Rating
  /** The best rated products of the same category. No prices here: a price change invalidates one page only. */
  readonly related: readonly RelatedProduct[]
}

interface Rating {
  /** Mean of the stars, 1 to 5; `null` without reviews. */
  readonly average: number | null
  readonly reviews: number
}

interface RelatedProduct extends Rating {
  readonly id: number
  readonly name: string
}

/** The shop's database. SQLite answers synchronously, so it runs where it blocks nobody: see `origin-worker.ts`. */
export class Database {
  readonly #db: DatabaseSync
  readonly #product
  readonly #rating
  readonly #related
  readonly #updatePrice

  /**
   * Builds the catalogue in memory, the same one every time.
   *
   * @param products how many, with ids from 1
   */
  constructor(products: number) {
    this.#db = new DatabaseSync(':memory:')
    this.#db.exec(SCHEMA)
    fill(this.#db, products)
    this.#db.exec(INDEXES)
    this.#product = this.#db.prepare(PRODUCT)
    this.#rating = this.#db.prepare(RATING)
    this.#related = this.#db.prepare(RELATED)
    this.#updatePrice = this.#db.prepare(UPDATE_PRICE)
  }

  /** The page of a product, or `null` if there is no such product. */
  product(id: number): Product | null {
    const row = this.#product.get(id)
    if (!row) return null
    const { categoryId, ...product } = row
    return {
      ...product,
      rating: { ...this.#rating.get(id) },
      related: this.#related.all(categoryId as number, id).map(related => ({ ...related })),
    } as unknown as Product
  }

  /** Changes a price. @returns the product's new revision, or `null` if there is no such product */
  updatePrice(id: number, priceCents: number): number | null {
    const row = this.#updatePrice.get(priceCents, id)
    return row ? (row.revision as number) : null
  }

  close(): void {
    this.#db.close()
  }
}

const SCHEMA = `
  CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    category_id INTEGER NOT NULL REFERENCES categories,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    price_cents INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
  );
  CREATE TABLE reviews (product_id INTEGER NOT NULL REFERENCES products, stars INTEGER NOT NULL);
`

/** Made after the rows: that is faster than keeping them sorted while inserting. */
const INDEXES = `
  CREATE INDEX products_by_category ON products (category_id);
  CREATE INDEX reviews_by_product ON reviews (product_id, stars);
`

const PRODUCT = `
  SELECT p.id, p.name, c.name AS category, p.category_id AS categoryId, p.description,
         p.price_cents AS priceCents, p.revision
  FROM products p JOIN categories c ON c.id = p.category_id
  WHERE p.id = ?
`

const RATING = `
  SELECT round(avg(stars), 2) AS average, count(*) AS reviews FROM reviews WHERE product_id = ?
`

/** Ranked by a Bayesian mean (five imagined reviews of 3.5 stars), so that one enthusiast does not win. */
const RELATED = `
  SELECT p.id, p.name, round(avg(r.stars), 2) AS average, count(*) AS reviews
  FROM products p JOIN reviews r ON r.product_id = p.id
  WHERE p.category_id = ? AND p.id <> ?
  GROUP BY p.id
  ORDER BY (sum(r.stars) + 5 * 3.5) / (count(*) + 5) DESC, p.id
  LIMIT 8
`

const UPDATE_PRICE = `
  UPDATE products SET price_cents = ?, revision = revision + 1 WHERE id = ? RETURNING revision
`

const CATEGORIES = 40
const MAX_REVIEWS = 20
const ADJECTIVES = ['Quiet', 'Sturdy', 'Folding', 'Bright', 'Compact', 'Woven', 'Smooth', 'Classic', 'Light']
const MATERIALS = ['Oak', 'Steel', 'Linen', 'Glass', 'Copper', 'Cotton', 'Bamboo', 'Stone', 'Cork']
const NOUNS = ['Lamp', 'Chair', 'Kettle', 'Desk', 'Basket', 'Mirror', 'Shelf', 'Clock', 'Bowl', 'Stool']
const PHRASES = [
  'Made to be used every day.',
  'Repairs are simple: every part can be ordered.',
  'Looks the same after ten years.',
  'Comes assembled.',
  'Fits where others do not.',
  'The surface forgives scratches.',
  'Designed with people who work with it.',
  'Packed without plastic.',
]

function fill(db: DatabaseSync, products: number): void {
  const random = seededRandom(20_000)
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = (words: readonly string[]): string => words[below(words.length)] as string
  const category = db.prepare('INSERT INTO categories (id, name) VALUES (?, ?)')
  const product = db.prepare(
    'INSERT INTO products (id, category_id, name, description, price_cents) VALUES (?, ?, ?, ?, ?)',
  )
  const review = db.prepare('INSERT INTO reviews (product_id, stars) VALUES (?, ?)')

  db.exec('BEGIN')
  for (let id = 1; id <= CATEGORIES; id++) category.run(id, `${pick(MATERIALS)} ${pick(NOUNS)}s`)
  for (let id = 1; id <= products; id++) {
    const name = `${pick(ADJECTIVES)} ${pick(MATERIALS)} ${pick(NOUNS)} ${id}`
    const description = Array.from({ length: 12 }, () => pick(PHRASES)).join(' ')
    product.run(id, 1 + below(CATEGORIES), name, description, 500 + below(50_000))
    for (let n = below(MAX_REVIEWS); n > 0; n--) review.run(id, 1 + below(5))
  }
  db.exec('COMMIT')
}
