import { integer, invalidOption, oneOf } from '@cache/core'
import { Fifo } from './fifo.ts'
import { Lfu } from './lfu.ts'
import { Lru } from './lru.ts'
import type { PolicyType } from './policy.ts'
import { Random } from './random.ts'
import { S3Fifo } from './s3-fifo.ts'
import { Sieve } from './sieve.ts'
import { TinyLfu } from './tiny-lfu.ts'

/** Who leaves when there is no more room. */
export type PolicyName = 'lru' | 'lfu' | 'fifo' | 'random' | 'sieve' | 's3-fifo' | 'tiny-lfu'

const POLICIES: Readonly<Record<PolicyName, PolicyType>> = {
  lru: Lru,
  lfu: Lfu,
  fifo: Fifo,
  random: Random,
  sieve: Sieve,
  's3-fifo': S3Fifo,
  'tiny-lfu': TinyLfu,
}

/** With these and the most entries, a slot's number still fits the 24 bits that the index has for it. */
const MAX_ANCHORS = 1_000_000
/** Words that a ring takes in every slot. */
const LINKS = 2

/** Every policy's name. */
export const POLICY_NAMES: readonly PolicyName[] = Object.keys(POLICIES) as PolicyName[]

/** The policy of a name, or one of your own. @throws CacheError `INVALID_OPTION` listing the known ones */
export function policyType(policy: PolicyName | PolicyType): PolicyType {
  return typeof policy === 'function' ? checked(policy) : POLICIES[oneOf(policy, 'policy', POLICY_NAMES)]
}

function checked(policy: PolicyType): PolicyType {
  const words = integer(policy.words, 'policy.words', 0)
  const anchors = integer(policy.anchors, 'policy.anchors', 0)
  if (anchors > MAX_ANCHORS)
    throw invalidOption('policy.anchors', anchors, `an integer from 0 to ${MAX_ANCHORS}`)
  if (anchors === 0 || words >= LINKS) return policy
  throw invalidOption('policy.words', words, `at least ${LINKS}, for the links of the rings of its anchors`)
}

export type { Policy, PolicySlots, PolicyType } from './policy.ts'
