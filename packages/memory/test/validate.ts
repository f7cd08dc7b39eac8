import { expect } from 'vitest'
import { type BoundedMap, partsOf } from '../src/bounded-map.ts'
import { type HashIndex, tableOf } from '../src/hash-index.ts'
import { PREVIOUS, type Slots } from '../src/slots.ts'

/** Fails unless the parts of a map agree with one another. */
export function validate<K, V>(map: BoundedMap<K, V>): void {
  const { index, slots, policy, expiry } = partsOf(map)
  const order = [...policy.order()]
  const free = [...slots.free()]

  validateIndex(index, slots)
  expect(order.length, 'the policy knows every entry').toBe(index.size)
  expect(new Set([...order, ...free]).size, 'a slot is used once').toBe(order.length + free.length)
  expect(order.length + free.length, 'no slot is lost').toBe(slots.end - slots.anchors)
  expect(slots.capacity, 'arrays end at the bound').toBeGreaterThanOrEqual(slots.end)
  expect(slots.words.length).toBe(slots.capacity * slots.stride)
  expect(map.size).toBeLessThanOrEqual(map.maxItems)

  let expiring = 0
  let bytes = 0
  for (const slot of order) {
    expect(slot).toBeGreaterThanOrEqual(slots.anchors)
    expect(index.find(slots.keyAt(slot)), 'key and slot point at each other').toBe(slot)
    if (expiry.deadlines.has(slot)) {
      expiring++
      expect(expiry.wheel.has(slot), 'what ends stands in the wheel').toBe(true)
      expect(expiry.wheel.nextEvent).toBeLessThanOrEqual(expiry.deadlines.at(slot))
    }
    bytes += slots.weights[slot] ?? 0
  }
  expect(expiry.wheel.size).toBeGreaterThanOrEqual(expiring)
  expect(map.bytes, 'weights add up').toBe(bytes)
  for (const slot of free) {
    expect(slots.keyAt(slot), 'a free slot holds no key').toBeUndefined()
    expect(slots.valueAt(slot), 'a free slot holds no value').toBeUndefined()
    expect(expiry.deadlines.has(slot)).toBe(false)
    expect(expiry.wheel.has(slot)).toBe(false)
  }
}

/** Fails unless every key stands where a search comes to, and nothing else stands anywhere. */
export function validateIndex<K>(index: HashIndex<K>, slots: Pick<Slots<K, unknown>, 'keyAt'>): void {
  const { cells, hashes, rest } = tableOf(index)
  const mask = cells.length - 1
  const broken: string[] = []
  let used = 0
  for (const [at, cell] of cells.entries()) {
    if (cell === 0) continue
    used++
    const slot = cell & 0xff_ffff
    const hash = hashes[slot] as number
    const distance = (at - hash) & mask
    if (hash !== index.hash(slots.keyAt(slot))) broken.push(`cell ${at}: the hash is not that of the key`)
    if (cell >>> 24 !== hash >>> 24) broken.push(`cell ${at}: the tag is not that of the hash`)
    if (distance >= 64) broken.push(`cell ${at}: out of reach`)
    for (let i = 0; i < distance; i++) {
      if (cells[(hash + i) & mask] === 0) broken.push(`cell ${at}: a gap on the way there`)
    }
  }
  for (const [key, slot] of rest) {
    if (hashes[slot] !== 0) broken.push(`slot ${slot}: hashed, and in the Map`)
    if (!Object.is(slots.keyAt(slot), key) && slots.keyAt(slot) !== key)
      broken.push(`slot ${slot}: key and slot do not point at each other`)
  }
  expect(broken).toEqual([])
  expect(hashes.filter(hash => hash !== 0).length, 'a hash for each cell in use').toBe(used)
  expect(index.size).toBe(used + rest.size)
  expect(used / cells.length, 'few searches go far').toBeLessThanOrEqual(0.5)
}

/** The slots in a ring, from its start. Fails unless it is whole in both directions. */
export function ring(slots: Slots<unknown, unknown>, anchor: number): number[] {
  const found: number[] = []
  let previous = anchor
  for (let slot = slots.next(anchor); ; slot = slots.next(slot)) {
    const back = slots.words[slot * slots.stride + PREVIOUS]
    if (back !== previous || found.length > slots.end) throw new Error(`ring ${anchor} is broken at ${slot}`)
    if (slot === anchor) return found
    found.push(slot)
    previous = slot
  }
}
