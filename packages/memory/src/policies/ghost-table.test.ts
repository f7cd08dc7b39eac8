import { describe, expect, test } from 'vitest'
import { mix } from '../hashing.ts'
import { GhostTable } from './ghost-table.ts'

/** More than two parts to be aged one after the other. */
const CAPACITY = 10_000

/** Not so many that a bucket overflows. */
const hashes = Array.from({ length: 3_000 }, (_, i) => mix(i + 1))

function filled(epoch: number): GhostTable {
  const table = new GhostTable(CAPACITY)
  for (const [i, hash] of hashes.entries()) table.put(hash, (i % 15) + 1, epoch)
  return table
}

/** Fingerprints may be shared: how many keys come back with the frequency they should have. */
function faithful(table: GhostTable, epoch: number, halvings: number): number {
  return hashes.filter((hash, i) => table.take(hash, epoch) === ((i % 15) + 1) >>> halvings).length
}

test('a key is remembered with its frequency until it is taken', () => {
  const table = filled(0)
  expect(faithful(table, 0, 0)).toBeGreaterThan(2_950)
  expect(hashes.filter(hash => table.take(hash, 0) === 0).length).toBeGreaterThan(2_950)
})

test('foreign keys are unknown, but for one in some hundreds', () => {
  const table = filled(0)
  const known = Array.from({ length: 10_000 }, (_, i) => mix(1_000_000 + i)).filter(
    hash => table.take(hash, 0) > 0,
  )
  expect(known.length).toBeLessThan(60)
})

test('a frequency of 0 takes no room', () => {
  const table = new GhostTable(8)
  table.put(1, 5, 0)
  for (let i = 2; i < 20; i++) table.put(i, 0, 0)
  expect(table.take(1, 0)).toBe(5)
})

test('of a full bucket, the key leaves that came in before all others', () => {
  const table = new GhostTable(8)
  for (let i = 1; i <= 9; i++) table.put(i, i, 0)
  expect(table.take(1, 0)).toBe(0)
  expect(table.take(9, 0)).toBe(9)
  expect(table.take(2, 0)).toBe(2)
})

describe('at the turn of an epoch', () => {
  test('every frequency halves at once, before any part was aged', () => {
    const table = filled(4)
    for (let part = 0; part < table.parts; part++) table.age(part, 4)
    expect(faithful(table, 5, 1)).toBeGreaterThan(2_950)
  })

  test('and only once, whichever parts were aged since', () => {
    const table = filled(4)
    expect(table.parts).toBe(3)
    table.age(0, 5)
    table.age(1, 5)
    expect(faithful(table, 5, 1)).toBeGreaterThan(2_950)
  })

  test('after four, everything is forgotten', () => {
    const table = filled(0)
    for (let epoch = 1; epoch <= 4; epoch++) {
      for (let part = 0; part < table.parts; part++) table.age(part, epoch)
    }
    expect(hashes.filter(hash => table.take(hash, 4) > 0)).toEqual([])
  })
})
