import { describe, test } from 'vitest'
import { type BusSubject, busCases } from './bus-cases.ts'
import type { Case } from './case.ts'
import { type CodecSubject, codecCases } from './codec-cases.ts'
import { type Runner, register } from './register.ts'
import { storeCases } from './store/cases.ts'
import type { StoreSubject } from './store/subject.ts'

/** More than the time a case is given: it is the case that says what took so long. */
const TIMEOUT_MS = 90_000

const vitest: Runner = {
  describe: (name, body) => describe(name, body),
  test: (name, body) => test(name, { timeout: TIMEOUT_MS }, ({ skip }) => body(reason => skip(reason))),
}

/** Tests a store with Vitest: every rule of docs/custom-stores.md that applies to it. */
export function testStore(name: string, subject: StoreSubject): void {
  register(vitest, name, storeCases(subject))
}

/** Tests an invalidation bus with Vitest. */
export function testBus(name: string, subject: BusSubject): void {
  register(vitest, name, busCases(subject))
}

/** Tests a codec, or a serializer, with Vitest. */
export function testCodec(name: string, subject: CodecSubject): void {
  register(vitest, name, codecCases(subject))
}

/** Tests some cases only, or those of several subjects under one name. */
export function testCases(name: string, cases: readonly Case[]): void {
  register(vitest, name, cases)
}
