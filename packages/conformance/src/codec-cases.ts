import { CacheError } from '@cache/core'
import fc from 'fast-check'
import { type Case, NothingToTry, runCase } from './case.ts'
import { check, equal } from './expect.ts'
import type { RuleName } from './rules.ts'

/** A codec to test, or a serializer: anything that makes bytes of values and values of bytes. */
export interface CodecSubject {
  encode(value: unknown): Uint8Array
  /** Called with a `Buffer`. */
  decode(bytes: Buffer): unknown
  /** Values beyond JSON that it keeps, by what they are: `{ 'a Date': new Date(0) }`. */
  readonly keeps?: Readonly<Record<string, unknown>>
  /**
   * Whether what `decode` throws must be a `CacheError`, as the contract of a `Codec` says; a serializer may throw what it
   * likes, for the store wraps it. @default true
   */
  readonly wrapsErrors?: boolean
  /** Whether it stands hostile bytes; V8's own format does not promise to. @default true */
  readonly untrusted?: boolean
}

const SECRET = 'hunter2-must-not-be-quoted'

const JSON_VALUES: Readonly<Record<string, unknown>> = {
  zero: 0,
  'an empty string': '',
  false: false,
  null: null,
  'an empty object': {},
  'an empty array': [],
  'text beyond the first plane': '🦄 é e\u0301 \u0000 \u2028',
  'numbers at the edge': [0.1 + 0.2, 2 ** 53 - 1, 1e-300],
  'a large text': 'x'.repeat(500_000),
  'names of a prototype': { toString: 1, hasOwnProperty: 2, valueOf: null },
}

const UNKEEPABLE: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  'a function': () => () => SECRET,
  'a symbol': () => Symbol(SECRET),
  'a BigInt': () => ({ [SECRET]: SECRET, big: 1n }),
  'a cycle': () => {
    const cycle: Record<string, unknown> = { [SECRET]: SECRET }
    cycle.self = cycle
    return cycle
  },
}

/** Every case that a codec has to pass. */
export function codecCases(subject: CodecSubject): readonly Case[] {
  const { keeps = {}, wrapsErrors = true, untrusted = true } = subject
  const encoded = (value: unknown): Buffer => Buffer.from(subject.encode(value))
  const again = (value: unknown): unknown => subject.decode(encoded(value))
  const specs: readonly [RuleName, string, string, () => void | Promise<void>][] = [
    ...Object.entries({ ...JSON_VALUES, ...keeps }).map(([name, value]): (typeof specs)[number] => [
      'codec-round-trip',
      'round trip',
      `${name} comes back`,
      () => equal(again(value), value, name),
    ]),
    [
      'codec-round-trip',
      'round trip',
      'any JSON comes back, and is not changed on the way in',
      () => {
        const json = fc.jsonValue().map(value => JSON.parse(JSON.stringify(value)) as unknown)
        fc.assert(
          fc.property(json, value => {
            if (JSON.stringify(value).includes('"__proto__"')) return
            const before = structuredClone(value)
            equal(again(value), before, 'what came back')
            equal(value, before, 'the value after encode')
          }),
          { numRuns: 200 },
        )
      },
    ],
    [
      'codec-fresh',
      'round trip',
      'every decode gives a value of its own',
      () => {
        const bytes = encoded({ list: [1], text: 'text' })
        const [first, second] = [subject.decode(bytes), subject.decode(bytes)] as { list: number[] }[]
        first?.list.push(2)
        equal(second, { list: [1], text: 'text' }, 'a value after another one of the same bytes was changed')
        const third = subject.decode(bytes)
        bytes.fill(0)
        equal(third, { list: [1], text: 'text' }, 'a value after its bytes were changed')
      },
    ],
    ...Object.entries(UNKEEPABLE).map(([name, make]): (typeof specs)[number] => [
      'codec-refusal',
      'refusal',
      `${name}: kept, or refused in words`,
      () => {
        const value = make()
        let bytes: Buffer
        try {
          bytes = encoded(value)
        } catch (thrown) {
          return assertRefusal(thrown)
        }
        equal(subject.decode(bytes), value, `${name}, which was not refused`)
      },
    ]),
    [
      'codec-hostile',
      'hostile bytes',
      'a name that would reach a prototype does not',
      () => {
        const value: unknown = JSON.parse(
          '{ "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } } }',
        )
        try {
          again(value)
        } catch {
          // Refused: that is the best.
        }
        check(!('polluted' in {}), 'a property has become one of every object')
      },
    ],
    [
      'codec-hostile',
      'hostile bytes',
      'bytes that were cut off, changed or made up do no harm',
      () => {
        if (!untrusted) throw new NothingToTry('it is for bytes that can be trusted')
        const whole = encoded({ a: [1, 2, { b: 'text' }], c: 'x'.repeat(3_000) })
        const attempt = (bytes: Buffer): void => {
          try {
            subject.decode(bytes)
          } catch (thrown) {
            check(
              !wrapsErrors || (thrown instanceof CacheError && thrown.code === 'CORRUPT'),
              `decode must throw CORRUPT, not ${thrown}`,
            )
          }
          check(!('polluted' in {}), 'a property has become one of every object')
        }
        for (let length = 0; length < Math.min(whole.length, 400); length++)
          attempt(whole.subarray(0, length))
        fc.assert(
          fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
            const changed = Buffer.from(whole)
            changed[at] = byte
            attempt(changed)
          }),
          { numRuns: 300 },
        )
        fc.assert(
          fc.property(fc.uint8Array({ maxLength: 200 }), bytes => attempt(Buffer.from(bytes))),
          { numRuns: 300 },
        )
      },
    ],
  ]
  return specs.map(([rule, group, name, body]) => ({
    group,
    name,
    rule,
    run: () => runCase(rule, 30_000, async () => body()),
  }))
}

function assertRefusal(thrown: unknown): void {
  check(
    thrown instanceof CacheError,
    `what is refused must be refused with a CacheError, not with ${kindOf(thrown)}`,
  )
  check(
    thrown.code === 'SERIALIZATION' || thrown.code === 'INVALID_VALUE',
    `the code of the refusal must be SERIALIZATION or INVALID_VALUE, not ${thrown.code}`,
  )
  check(!`${thrown.message}${thrown.stack}`.includes(SECRET), 'the refusal quotes the value')
}

function kindOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown
}
