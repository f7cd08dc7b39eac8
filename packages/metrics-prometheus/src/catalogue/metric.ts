import type { CacheStats, StoreHealth, TelemetryEvent, TierStats } from '@cache/core'

/** What a series is told apart by: names of caches and stores, and words of fixed lists. Never a key. */
export type Labels = Readonly<Record<string, string>>

/** Labels and value of one series; a value that nobody knows leaves the series out. */
export type Sample = readonly [labels: Labels, value: number | undefined]

/** What a cache tells about itself at one scrape. */
export interface Reading {
  readonly cache: string
  readonly stats: CacheStats
  readonly health: StoreHealth | undefined
}

interface Declaration {
  /** Without the prefix. */
  readonly name: string
  readonly help: string
  readonly labels: readonly LabelName[]
}

/** The name of a cache, and what has few values. */
export type LabelName = 'cache' | 'tier' | 'cause' | 'operation' | 'outcome' | 'state' | 'codec'

/** A metric whose numbers are kept by the caches and read at scrape. */
export interface ReadMetric extends Declaration {
  readonly type: 'counter' | 'gauge'
  /** What several numbers for one series become: caches of one name, workers of one cluster. Default `sum`. */
  readonly aggregator?: 'sum' | 'min' | 'max'
  read(reading: Reading): readonly Sample[]
}

/** A metric fed by events, none of which is on the path of a near hit. */
export interface EventMetric extends Declaration {
  readonly type: 'counter' | 'histogram'
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[]
  /** @returns labels but for `cache`, and by how much the counter grows or what is observed */
  sample(event: TelemetryEvent): Sample | undefined
  /** Series of a new cache that are there from the start, so that their first growth is seen. Default: none. */
  initial?(reading: Reading): readonly Labels[]
}

/** What a metric reads, and the labels by which that tells its series apart. */
export type Series = Pick<ReadMetric, 'labels' | 'read'>

/** A series for each cache. */
export function perCache(read: (reading: Reading) => number | undefined): Series {
  return { labels: ['cache'], read: reading => [[{ cache: reading.cache }, read(reading)]] }
}

/** A series for each tier. */
export function perTier(read: (tier: TierStats) => number | undefined): Series {
  return {
    labels: ['cache', 'tier'],
    read: ({ cache, stats }) => stats.tiers.map(tier => [{ cache, tier: tier.tier }, read(tier)]),
  }
}

/** Numbers by the names of a fixed list. */
type Numbers<K extends string> = { readonly [name in K]?: number | undefined }

/** A series for each cache and name. */
export function each<K extends string>(label: LabelName, read: (reading: Reading) => Numbers<K>): Series {
  return {
    labels: ['cache', label],
    read: reading => named({ cache: reading.cache }, label, read(reading)),
  }
}

/** A series for each tier and name. */
export function eachOfTier<K extends string>(
  label: LabelName,
  read: (tier: TierStats) => Numbers<K>,
): Series {
  return {
    labels: ['cache', 'tier', label],
    read: ({ cache, stats }) =>
      stats.tiers.flatMap(tier => named({ cache, tier: tier.tier }, label, read(tier))),
  }
}

function named(labels: Labels, label: LabelName, numbers: Numbers<string>): readonly Sample[] {
  return Object.entries(numbers).map(([name, value]) => [{ ...labels, [label]: name }, value])
}

/** Samples the events of one kind. */
export function from<T extends TelemetryEvent['type']>(
  type: T,
  sample: (event: Extract<TelemetryEvent, { type: T }>) => Sample | undefined,
): EventMetric['sample'] {
  const isOne = (event: TelemetryEvent): event is Extract<TelemetryEvent, { type: T }> => event.type === type
  return event => (isOne(event) ? sample(event) : undefined)
}
