import { expect, it } from 'vitest'
import { checkHistories } from './history.ts'
import type { HistoryEvent } from './protocol.ts'

const LATEST = [5, 5]

function read(key: number, version: number, startedAt: number): HistoryEvent {
  return { type: 'read', key, version, startedAt, endedAt: startedAt + 1 }
}

function write(key: number, version: number, endedAt: number, status: 'applied' | 'queued'): HistoryEvent {
  return {
    type: 'write',
    id: 0,
    kind: 'delete',
    keys: [key],
    versions: [version],
    startedAt: endedAt - 1,
    endedAt,
    status,
  }
}

it('finds a read that missed what its process had applied before it began', () => {
  const found = checkHistories([[], [write(0, 3, 10, 'applied'), read(0, 2, 11)]], LATEST)
  expect(found).toEqual([
    { kind: 'own write not seen', what: 'process 1 read version 2 of 0 after its delete of 3' },
  ])
})

it('finds a version that nobody wrote', () => {
  expect(checkHistories([[read(0, 6, 1)]], LATEST)).toMatchObject([{ kind: 'never written' }])
})

it('allows what began before the invalidation had ended, is of another key or process, or was only queued', () => {
  const history = [
    write(0, 3, 10, 'applied'),
    read(0, 2, 10),
    read(0, 3, 11),
    read(1, 2, 11),
    write(1, 4, 12, 'queued'),
    read(1, 3, 13),
  ]
  expect(checkHistories([history, [read(0, 1, 20)]], LATEST)).toEqual([])
})
