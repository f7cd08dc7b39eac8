import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TagLog } from './tag-log.ts'

describe('a log of tags', () => {
  test('tells what was invalidated since, and nothing else', () => {
    const log = new TagLog()
    const before = log.now
    log.invalidate(['a', 'b'])
    expect(log.isOutdated(['x', 'b'], before)).toBe(true)
    expect(log.isOutdated(['x'], before)).toBe(false)
    expect(log.isOutdated(['a'], log.now)).toBe(false)
    expect(log.isOutdated(undefined, before)).toBe(false)
    expect(log.isOutdated([], before)).toBe(false)
  })

  test('is bounded, and what it forgets counts as invalidated', () => {
    const log = new TagLog(2)
    const before = log.now
    log.invalidate(['a'])
    const after = log.now
    for (const tag of ['b', 'c', 'd']) log.invalidate([tag])
    expect(log.isOutdated(['a'], before)).toBe(true)
    expect(log.isOutdated(['never heard of'], after)).toBe(true)
    expect(log.isOutdated(['never heard of'], log.now - 1)).toBe(false)
  })

  test('never takes for valid what a log without bound would not', () => {
    const tag = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const step = fc.oneof(
      fc.record({ invalidate: fc.uniqueArray(tag, { minLength: 1, maxLength: 3 }) }),
      fc.record({ tags: fc.uniqueArray(tag, { maxLength: 3 }), age: fc.nat(6) }),
    )
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 4 }), (steps, maxTags) => {
        const [bounded, whole] = [new TagLog(maxTags), new TagLog()]
        for (const each of steps) {
          if ('invalidate' in each) {
            bounded.invalidate(each.invalidate)
            whole.invalidate(each.invalidate)
          } else {
            const since = Math.max(0, whole.now - each.age)
            if (whole.isOutdated(each.tags, since)) expect(bounded.isOutdated(each.tags, since)).toBe(true)
          }
        }
      }),
    )
  })
})
