import { describe, test } from 'node:test'
import { type BusSubject, busCases } from './bus-cases.ts'
import type { Case } from './case.ts'
import { type CodecSubject, codecCases } from './codec-cases.ts'
import { type Runner, register } from './register.ts'
import { storeCases } from './store/cases.ts'
import type { StoreSubject } from './store/subject.ts'

const nodeTest: Runner = {
  describe: (name, body) => void describe(name, body),
  test: (name, body) => void test(name, context => body(reason => context.skip(reason))),
}

/** Tests a store with `node --test`: every rule of docs/custom-stores.md that applies to it. */
export function testStore(name: string, subject: StoreSubject): void {
  register(nodeTest, name, storeCases(subject))
}

/** Tests an invalidation bus with `node --test`. */
export function testBus(name: string, subject: BusSubject): void {
  register(nodeTest, name, busCases(subject))
}

/** Tests a codec, or a serializer, with `node --test`. */
export function testCodec(name: string, subject: CodecSubject): void {
  register(nodeTest, name, codecCases(subject))
}

/** Tests some cases only, or those of several subjects under one name. */
export function testCases(name: string, cases: readonly Case[]): void {
  register(nodeTest, name, cases)
}
