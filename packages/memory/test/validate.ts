import assert from 'node:assert/strict'
import { type BoundedMap, partsOf } from '../src/bounded-map.ts'
import { type HashIndex, tableOf } from '../src/hash-index.ts'
import { PREVIOUS, type Slots } from '../src/slots.ts'

/**
 * Fails unless the parts of a map agree with one another. It runs after every step of every model, hundreds of thousands of
 * times: `assert` costs a hundredth of `expect` where all is well.
 */
export function validate<K, V>(map: BoundedMap<K, V>): void {
  const { index, slots, policy, expiry } = partsOf(map)
  const order = [...policy.order()]
  const free = [...slots.free()]

  validateIndex(index, slots)
  assert.equal(order.length, index.size, 'the policy knows every entry')
  assert.equal(new Set([...order, ...free]).size, order.length + free.length, 'a slot is used once')
  assert.equal(order.length + free.length, slots.end - slots.anchors, 'no slot is lost')
  assert.ok(slots.capacity >= slots.end, 'arrays end at the bound')
  assert.equal(slots.words.length, slots.capacity * slots.stride)
  assert.ok(map.size <= map.maxItems)

  let expiring = 0
  let bytes = 0
  for (const slot of order) {
    assert.ok(slot >= slots.anchors)
    assert.equal(index.find(slots.keyAt(slot)), slot, 'key and slot point at each other')
    if (expiry.deadlines.has(slot)) {
      expiring++
      assert.equal(expiry.wheel.has(slot), true, 'what ends stands in the wheel')
      assert.ok(expiry.wheel.nextEvent <= expiry.deadlines.at(slot))
    }
    bytes += slots.weights[slot] ?? 0
  }
  assert.ok(expiry.wheel.size >= expiring)
  assert.equal(map.bytes, bytes, 'weights add up')
  for (const slot of free) {
    assert.equal(slots.keyAt(slot), undefined, 'a free slot holds no key')
    assert.equal(slots.valueAt(slot), undefined, 'a free slot holds no value')
    assert.equal(expiry.deadlines.has(slot), false)
    assert.equal(expiry.wheel.has(slot), false)
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
  assert.deepEqual(broken, [])
  assert.equal(hashes.filter(hash => hash !== 0).length, used, 'a hash for each cell in use')
  assert.equal(index.size, used + rest.size)
  assert.ok(used / cells.length <= 0.5, 'few searches go far')
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
