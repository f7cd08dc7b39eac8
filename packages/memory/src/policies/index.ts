import { oneOf } from '@cache/core'
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

/** Every policy's name. */
export const POLICY_NAMES: readonly PolicyName[] = Object.keys(POLICIES) as PolicyName[]

/** The policy of a name. @throws CacheError `INVALID_OPTION` listing the known ones */
export function policyType(name: PolicyName): PolicyType {
  return POLICIES[oneOf(name, 'policy', POLICY_NAMES)]
}

export type { Policy, PolicyType } from './policy.ts'
