import { describe, expect, it } from 'vitest'
import { CacheError } from './errors.ts'
import { APPLIED, batchOutcome, failed } from './outcome.ts'

const error = new CacheError('TIMEOUT', 'late')

describe('outcomes', () => {
  it('share one frozen object for success', () => {
    expect(APPLIED).toEqual({ status: 'applied' })
    expect(Object.isFrozen(APPLIED)).toBe(true)
    expect(batchOutcome(3, new Map())).toBe(APPLIED)
  })

  it('carry the reason of a failure', () => {
    expect(failed(error)).toEqual({ status: 'failed', error })
  })

  it('of a batch are partial unless all of it failed', () => {
    const failures = new Map([['a', error]])
    expect(batchOutcome(2, failures)).toEqual({ status: 'partial', error, failures })
    expect(batchOutcome(1, failures)).toEqual({ status: 'failed', error, failures })
  })
})
