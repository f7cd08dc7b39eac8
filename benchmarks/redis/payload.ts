import { seededRandom } from '../lib/random.ts'

/** What the caches hold: a record as a service might keep it. */
export interface Item {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly active: boolean
  readonly score: number
  readonly tags: readonly string[]
  readonly notes: string
}

/**
 * A record that is exactly so many bytes of JSON, the same at every call. Words and digits by turns, so that it shrinks
 * to something like half when compressed, as such records do.
 */
export function makeItem(id: string, bytes: number): Item {
  const random = seededRandom(seedOf(id))
  const name = `${word(random)} ${word(random)}`
  const item: Item = {
    id,
    name,
    email: `${name.replace(' ', '.')}@${word(random)}.example`,
    active: random() < 0.5,
    score: Math.floor(random() * 1e6),
    tags: [word(random), word(random), word(random)],
    notes: '',
  }
  return { ...item, notes: makeText(bytes - JSON.stringify(item).length, random) }
}

/** A text of exactly `length` ASCII characters that JSON leaves as they are. */
export function makeText(length: number, random: () => number): string {
  const parts: string[] = []
  for (let made = 0; made < length; ) {
    const part = random() < 0.7 ? word(random) : Math.floor(random() * 2 ** 32).toString(16)
    parts.push(part)
    made += part.length + 1
  }
  return parts.join(' ').padEnd(length, '.').slice(0, length)
}

const SYLLABLES = [
  'ar',
  'be',
  'con',
  'da',
  'el',
  'fi',
  'gra',
  'ho',
  'in',
  'ju',
  'ka',
  'lo',
  'men',
  'no',
  'or',
  'ti',
]

function word(random: () => number): string {
  const syllables = 2 + Math.floor(random() * 2)
  const picked = Array.from({ length: syllables }, () => SYLLABLES[Math.floor(random() * SYLLABLES.length)])
  return picked.join('')
}

function seedOf(id: string): number {
  return Array.from(id).reduce((seed, letter) => Math.imul(seed, 31) + letter.charCodeAt(0), 7)
}
