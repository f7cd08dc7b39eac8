import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Placeholder, Promotions } from './promotions.ts'

describe('Promotions', () => {
  it('lets an answer be kept when nothing came in between', () => {
    const promotions = new Promotions()
    expect(promotions.startRead('k').valid).toBe(true)
  })

  it('spoils a read when its key is invalidated, and no other', () => {
    const promotions = new Promotions()
    const [a, b] = [promotions.startRead('a'), promotions.startRead('b')]
    promotions.invalidate('a')
    expect([a.valid, b.valid]).toEqual([false, true])
  })

  it('spoils reads that begin while the key is being written or its scope cleared', () => {
    const promotions = new Promotions()
    promotions.startWrite('a')
    promotions.startClear('users:')
    expect(promotions.startRead('a').valid).toBe(false)
    expect(promotions.startRead('users:1').valid).toBe(false)
    promotions.endWrite('a')
    promotions.endClear('users:')
    expect(promotions.startRead('a').valid).toBe(true)
    expect(promotions.startRead('users:1').valid).toBe(true)
  })

  it('shares a placeholder among readers, and a later read gets one of its own after a spoilt one', () => {
    const promotions = new Promotions()
    const first = promotions.startRead('k')
    promotions.invalidate('k')
    const second = promotions.startRead('k')
    promotions.endRead('k', first)
    promotions.invalidate('k')
    expect(second.valid).toBe(false)
  })

  it('keeps exactly the answers that no invalidation, write or clear overlapped', () => {
    const keys = ['a', 'users:1', 'users:2']
    const scopes = ['', 'users:']
    const step = fc.record({
      action: fc.constantFrom('read', 'done', 'write', 'written', 'clear', 'cleared', 'message', 'gap'),
      pick: fc.nat(5),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const promotions = new Promotions()
        const reads: { key: string; placeholder: Placeholder; expected: boolean }[] = []
        const writes: string[] = []
        const clears: string[] = []
        const spoil = (hits: (key: string) => boolean) => {
          for (const read of reads) if (hits(read.key)) read.expected = false
        }
        for (const { action, pick } of steps) {
          const key = keys[pick % keys.length] as string
          const scope = scopes[pick % scopes.length] as string
          if (action === 'read') {
            const busy = writes.includes(key) || clears.some(each => key.startsWith(each))
            reads.push({ key, placeholder: promotions.startRead(key), expected: !busy })
          } else if (action === 'done') {
            const [read] = reads.splice(pick % Math.max(1, reads.length), 1)
            if (!read) continue
            expect(read.placeholder.valid).toBe(read.expected)
            promotions.endRead(read.key, read.placeholder)
          } else if (action === 'write') {
            writes.push(key)
            spoil(each => each === key)
            promotions.startWrite(key)
          } else if (action === 'written' && writes.length > 0) {
            const [written] = writes.splice(pick % writes.length, 1) as [string]
            spoil(each => each === written)
            promotions.endWrite(written)
          } else if (action === 'clear') {
            clears.push(scope)
            spoil(each => each.startsWith(scope))
            promotions.startClear(scope)
          } else if (action === 'cleared' && clears.length > 0) {
            const [cleared] = clears.splice(pick % clears.length, 1) as [string]
            spoil(each => each.startsWith(cleared))
            promotions.endClear(cleared)
          } else if (action === 'message') {
            spoil(each => each === key)
            promotions.invalidate(key)
          } else if (action === 'gap') {
            spoil(() => true)
            promotions.invalidateScope('')
          }
        }
      }),
    )
  })
})
