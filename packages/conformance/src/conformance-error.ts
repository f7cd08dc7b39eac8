import { docsOf, RULES, type RuleName } from './rules.ts'

/** A case that failed: what was seen, the rule it breaks, and where that is explained. */
export class ConformanceError extends Error {
  override readonly name: 'ConformanceError' = 'ConformanceError'
  readonly rule: RuleName

  constructor(rule: RuleName, seen: string, options?: { readonly cause?: unknown }) {
    super(`${seen}\n\n  The rule: ${RULES[rule]}\n  Explained in ${docsOf(rule)}\n`, options)
    this.rule = rule
  }
}
