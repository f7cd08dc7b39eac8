import type { Case } from './case.ts'

/** What a test runner offers, as far as it is needed here: `describe` and `test` of nearly all of them. */
export interface Runner {
  describe(name: string, body: () => void): void
  /** @param body gets a function that reports the test as skipped, for a reason */
  test(name: string, body: (skip: (reason: string) => void) => Promise<void>): void
}

/** Hands cases to a test runner: a `describe` for the name and each group, a `test` for each case. */
export function register(runner: Runner, name: string, cases: readonly Case[]): void {
  const groups = Map.groupBy(cases, ({ group }) => group)
  runner.describe(name, () => {
    for (const [group, members] of groups) {
      runner.describe(group, () => {
        for (const { name, run } of members) {
          runner.test(name, async skip => {
            const reason = await run()
            if (reason !== undefined) skip(reason)
          })
        }
      })
    }
  })
}
