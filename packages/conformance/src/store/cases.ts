import { randomUUID } from 'node:crypto'
import type { Store } from '@cache/core'
import { type Case, NothingToTry, runCase } from '../case.ts'
import { check } from '../expect.ts'
import { Timeline } from '../timeline.ts'
import { batching } from './batching.ts'
import { CAPABILITIES, type Capability, offers } from './capabilities.ts'
import { cleanup } from './cleanup.ts'
import { coherent } from './coherent.ts'
import { concurrency } from './concurrency.ts'
import { contract } from './contract.ts'
import { faultGroups } from './faults.ts'
import { keys } from './keys.ts'
import { leasing } from './leasing.ts'
import { checking, enumerable, health, marking, measurable, observed } from './looking.ts'
import { near } from './near.ts'
import { replacing } from './replacing.ts'
import { Scene } from './scene.ts'
import type { Group, Spec } from './spec.ts'
import type { OpenContext, StoreSubject } from './subject.ts'
import { tagging } from './tagging.ts'
import { touching } from './touching.ts'
import { ttl } from './ttl.ts'
import { values } from './values.ts'

const LIMIT_MS = 30_000

const GROUPS: readonly Group[] = [
  contract,
  ttl,
  values,
  keys,
  concurrency,
  cleanup,
  batching,
  checking,
  coherent,
  enumerable,
  health,
  leasing,
  marking,
  measurable,
  near,
  observed,
  replacing,
  tagging,
  touching,
]

/** Every case that a store has to pass. Nothing is opened before a case runs. */
export function storeCases(subject: StoreSubject): readonly Case[] {
  const { capabilities } = subject
  const groups = [...GROUPS, ...faultGroups(subject.faults ?? [])]
  const wanted = groups.filter(
    ({ capability }) => !capability || (capabilities?.includes(capability) ?? true),
  )
  const offered = capabilities ? [offersWhatItSays(subject, capabilities)] : []
  return [
    ...offered,
    ...wanted.flatMap(({ name, capability, specs }) =>
      specs.map(spec => ({
        group: name,
        name: spec.name,
        rule: spec.rule,
        run: () => runSpec(subject, spec, capability),
      })),
    ),
  ]
}

function offersWhatItSays(subject: StoreSubject, said: readonly Capability[]): Case {
  const spec: Spec = {
    rule: 'capability',
    name: 'the capabilities are those that were said',
    async run({ store }) {
      for (const capability of CAPABILITIES) {
        const [offered, expected] = [offers(store, capability), said.includes(capability)]
        check(
          offered || !expected,
          `the store was said to offer ${capability}, but lacks it, or a method of it`,
        )
        check(!offered || expected, `the store offers ${capability}, which was not said`)
      }
    },
  }
  return { group: 'contract', name: spec.name, rule: spec.rule, run: () => runSpec(subject, spec, undefined) }
}

/** Opens what a case needs, and closes it whatever becomes of the case. */
function runSpec(
  subject: StoreSubject,
  spec: Spec,
  capability: Capability | undefined,
): Promise<string | undefined> {
  return runCase(spec.rule, subject.limitMs ?? LIMIT_MS, async () => {
    const time = new Timeline(subject.clock ?? 'machine')
    const context: OpenContext = { space: `conformance-${randomUUID()}`, clock: time.clock }
    const opened: Store[] = []
    const open = async (): Promise<Store> => {
      const store = await subject.open(context)
      opened.push(store)
      return store
    }
    try {
      const store = await open()
      if (capability && !offers(store, capability))
        throw new NothingToTry(`the store does not offer ${capability}`)
      await spec.run(new Scene(store, context, time, open, subject.shared ?? false))
    } finally {
      await Promise.allSettled(opened.map(async store => store.close()))
    }
  })
}
