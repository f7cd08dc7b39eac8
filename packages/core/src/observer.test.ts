import { describe, expect, it } from 'vitest'
import { type CacheSource, guarded, ObserverSet, type TelemetryEvent } from './observer.ts'

const EVENT: TelemetryEvent = { type: 'flush', store: 'tiered' }
const SOURCE = { name: 'cache' } as CacheSource

describe('a guarded observer', () => {
  it('passes everything on', () => {
    const seen: unknown[] = []
    const observer = guarded({
      attach: source => {
        seen.push(source)
        return () => seen.push('detached')
      },
      event: event => seen.push(event),
    })
    const detach = observer.attach(SOURCE)
    observer.event(EVENT)
    detach()
    expect(seen).toEqual([SOURCE, EVENT, 'detached'])
  })

  it('does nothing where there is nobody, or half of somebody', () => {
    for (const observer of [guarded(undefined), guarded({})]) {
      observer.event(EVENT)
      observer.attach(SOURCE)()
    }
  })

  it('cannot break what it watches, whether it throws at once, later, or at the end', async () => {
    const boom = (): never => {
      throw new Error('boom')
    }
    for (const observer of [
      guarded({ attach: boom, event: boom }),
      guarded({ attach: () => boom }),
      guarded({ event: async () => boom() }),
    ]) {
      observer.event(EVENT)
      observer.attach(SOURCE)()
    }
    await new Promise(resolve => setImmediate(resolve)) // An unhandled rejection fails the run.
  })
})

describe('ObserverSet', () => {
  it('tells all until they leave', () => {
    const set = new ObserverSet()
    const seen: string[] = []
    const leave = set.add({ event: () => seen.push('a') })
    set.add({ event: () => seen.push('b') })
    set.add({})
    set.event(EVENT)
    leave()
    set.event(EVENT)
    expect(seen).toEqual(['a', 'b', 'b'])
  })
})
