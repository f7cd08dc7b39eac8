import { ConformanceError } from './conformance-error.ts'
import type { RuleName } from './rules.ts'

/** One thing to try, for any runner: `run` resolves if the subject conforms. */
export interface Case {
  /** What it belongs to: `ttl`, `leasing`. */
  readonly group: string
  /** What is expected, as the name of a test. */
  readonly name: string
  /** The rule that a failure breaks. */
  readonly rule: RuleName
  /**
   * @returns why there was nothing to try, if so: the subject does not offer it
   * @throws ConformanceError
   */
  run(): Promise<string | undefined>
}

/** Thrown by a case that has nothing to try. */
export class NothingToTry extends Error {}

/** Runs the body of a case: bounded in time, with whatever fails as a `ConformanceError` of its rule. */
export async function runCase(
  rule: RuleName,
  limitMs: number,
  body: () => Promise<void>,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    const seen = `after ${limitMs / 1_000} s the case is still waiting: a call does not settle`
    timer = setTimeout(() => reject(new ConformanceError(rule, seen)), limitMs)
  })
  try {
    await Promise.race([body(), limit])
    return undefined
  } catch (thrown) {
    if (thrown instanceof NothingToTry) return thrown.message
    if (thrown instanceof ConformanceError) throw thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    throw new ConformanceError(rule, message, { cause: thrown })
  } finally {
    clearTimeout(timer)
  }
}
