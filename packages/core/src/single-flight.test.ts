import { describe, expect, it } from 'vitest'
import { BareStore } from '../test/stores.ts'
import { flightOf } from '../test/support.ts'
import { ManualClock } from './manual-clock.ts'
import { FlightTable, MAX_IN_FLIGHT } from './single-flight.ts'

const tableOf = (): FlightTable => FlightTable.of(new BareStore(new ManualClock()))

describe('FlightTable', () => {
  it('is one for each store', () => {
    const store = new BareStore(new ManualClock())
    expect(FlightTable.of(store)).toBe(FlightTable.of(store))
    expect(FlightTable.of(store)).not.toBe(tableOf())
  })

  it('makes room for a successor when a flight is superseded, and its end does not end the successor', () => {
    const table = tableOf()
    const first = table.begin(flightOf('k'))
    table.supersede('k')
    expect(first.superseded).toBe(true)
    const second = table.begin(flightOf('k'))
    table.end(first)
    expect(table.get('k')).toBe(second)
    expect(second.superseded).toBe(false)
    table.end(second)
    expect(table.size).toBe(0)
  })

  it('supersedes by scope what begins with it, and everything without one', () => {
    const table = tableOf()
    const [user, users, post] = ['user:1', 'users:1', 'post:1'].map(key => table.begin(flightOf(key)))
    table.supersedeScope('user:')
    expect([user, users, post].map(flight => flight?.superseded)).toEqual([true, false, false])
    table.supersedeScope()
    expect([users, post].map(flight => flight?.superseded)).toEqual([true, true])
    expect(table.size).toBe(0)
  })

  it('takes invalidated keys out of what is held, until it is released', () => {
    const table = tableOf()
    const waiting = new Set(['a', 'b:1', 'b:2', 'c', 'd'])
    const release = table.hold(waiting, 'write')
    table.supersede('a')
    table.supersedeScope('b:')
    expect([...waiting]).toEqual(['c', 'd'])
    release()
    table.supersede('c')
    expect([...waiting]).toEqual(['c', 'd'])
  })

  it('is bounded: a flight beyond the bound is alone and never stored', () => {
    const table = tableOf()
    for (let n = 0; n < MAX_IN_FLIGHT; n++) table.begin(flightOf(`${n}`))
    const beyond = table.begin(flightOf('one too many'))
    expect(beyond.superseded).toBe(true)
    expect(table.size).toBe(MAX_IN_FLIGHT)
    expect(table.get('one too many')).toBeUndefined()
  })
})
