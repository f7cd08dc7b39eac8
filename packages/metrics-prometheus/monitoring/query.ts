import { METRICS } from '../src/catalogue/index.ts'
import type { LabelName } from '../src/catalogue/metric.ts'

/** What a query asks of a label: a value, or with `=~`, `!=` or `!~` in front something else. */
type Matchers = Readonly<Partial<Record<LabelName, string>>>

const BY_NAME = new Map(METRICS.map(metric => [metric.name, metric]))

/**
 * Writes queries in terms of the catalogue: a metric or label that does not exist cannot be asked for.
 *
 * @param common matchers for every series, as `job=~"$job"`
 * @param range what rates are taken over
 */
export class Queries {
  readonly #common: string
  readonly #window: string

  constructor(common: string, range: string, offset?: string) {
    this.#common = common
    this.#window = offset === undefined ? `[${range}]` : `[${range}] offset ${offset}`
  }

  /** The same over another range, that may have ended some time ago. */
  over(range: string, offset?: string): Queries {
    return new Queries(this.#common, range, offset)
  }

  /** @throws Error for a metric or label that is not in the catalogue */
  series(name: string, matchers: Matchers = {}): string {
    const ofHistogram = BY_NAME.get(name.replace(/_(bucket|count|sum)$/, ''))
    const metric = ofHistogram?.type === 'histogram' ? ofHistogram : BY_NAME.get(name)
    if (!metric || (metric.name === name) === (metric.type === 'histogram')) {
      throw new Error(`there is no series ${name}`)
    }
    const own = Object.entries(matchers).map(([label, matcher]) => {
      if (!metric.labels.includes(label as LabelName)) throw new Error(`${name} has no label ${label}`)
      const [, operator = '', value] = /^(=~|!=|!~)?(.*)$/.exec(matcher) ?? []
      return `${label}${operator || '='}"${value}"`
    })
    const all = [this.#common, ...own].filter(Boolean).join(', ')
    return all === '' ? `cache_${name}` : `cache_${name}{${all}}`
  }

  /** A gauge, one series for each combination of labels. */
  sum(name: string, by: readonly string[], matchers?: Matchers): string {
    return grouped('sum', by, this.series(name, matchers))
  }

  min(name: string, by: readonly string[], matchers?: Matchers): string {
    return grouped('min', by, this.series(name, matchers))
  }

  max(name: string, by: readonly string[], matchers?: Matchers): string {
    return grouped('max', by, this.series(name, matchers))
  }

  /** How much a counter grows in a second, summed by labels. */
  rate(name: string, by: readonly string[], matchers?: Matchers): string {
    return grouped('sum', by, `rate(${this.series(name, matchers)}${this.#window})`)
  }

  increase(name: string, by: readonly string[], matchers?: Matchers): string {
    return grouped('sum', by, `increase(${this.series(name, matchers)}${this.#window})`)
  }

  /** A quantile of a histogram, 0 to 1. */
  quantile(quantile: number, name: string, by: readonly string[], matchers?: Matchers): string {
    const buckets = this.rate(`${name}_bucket`, [...by, 'le'], matchers)
    return `histogram_quantile(${quantile}, ${buckets})`
  }
}

function grouped(operator: 'sum' | 'min' | 'max', by: readonly string[], vector: string): string {
  return `${operator} by (${by.join(', ')}) (${vector})`
}
