import { describe, expect, it } from 'vitest'
import { Emitter } from './events.ts'

interface Events {
  tick: number
  tock: string
}

describe('Emitter', () => {
  it('tells the listeners of a type, in order, until they leave', () => {
    const emitter = new Emitter<Events>()
    const seen: unknown[] = []
    const leave = emitter.on('tick', n => seen.push(['first', n]))
    emitter.on('tick', n => seen.push(['second', n]))
    emitter.on('tock', word => seen.push(word))
    emitter.emit('tick', 1)
    leave()
    leave()
    emitter.emit('tick', 2)
    expect(seen).toEqual([
      ['first', 1],
      ['second', 1],
      ['second', 2],
    ])
  })

  it('knows whether anyone listens', () => {
    const emitter = new Emitter<Events>()
    expect(emitter.has('tick')).toBe(false)
    const leave = emitter.on('tick', () => {})
    expect(emitter.has('tick')).toBe(true)
    expect(emitter.has('tock')).toBe(false)
    leave()
    expect(emitter.has('tick')).toBe(false)
    emitter.on('tick', () => {})
    leave()
    expect(emitter.has('tick')).toBe(true)
  })

  it('counts a function that is registered twice as two listeners', () => {
    const emitter = new Emitter<Events>()
    let ticks = 0
    const listener = (): void => void ticks++
    const leave = emitter.on('tick', listener)
    emitter.on('tick', listener)
    emitter.emit('tick', 1)
    leave()
    emitter.emit('tick', 2)
    expect(ticks).toBe(3)
  })

  it('is not broken by a listener that throws, at once or later', async () => {
    const emitter = new Emitter<Events>()
    const seen: number[] = []
    emitter.on('tick', () => {
      throw new Error('boom')
    })
    emitter.on('tick', async () => {
      throw new Error('late boom')
    })
    emitter.on('tick', n => seen.push(n))
    emitter.emit('tick', 1)
    await new Promise(resolve => setImmediate(resolve)) // An unhandled rejection fails the run.
    expect(seen).toEqual([1])
  })

  it('tells each listener once an event, also when one registers itself anew', () => {
    const emitter = new Emitter<Events>()
    let calls = 0
    const listener = (): void => {
      if (++calls > 10) return
      leave()
      leave = emitter.on('tick', listener)
    }
    let leave = emitter.on('tick', listener)
    emitter.on('tick', () => {})
    emitter.emit('tick', 1)
    emitter.emit('tick', 2)
    expect(calls).toBe(2)
  })
})
