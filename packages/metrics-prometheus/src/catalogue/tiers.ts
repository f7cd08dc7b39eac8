import type { CodecStats, CompressionStats } from '@cache/core'
import { eachOfTier, type LabelName, perTier, type ReadMetric, type Sample, type Series } from './metric.ts'

/** What each tier holds, and what became of it. */
export const TIERS: readonly ReadMetric[] = [
  {
    name: 'items',
    type: 'gauge',
    help: 'Entries held now.',
    ...perTier(tier => tier.items),
  },
  {
    name: 'items_limit',
    type: 'gauge',
    help: 'Most entries the tier may hold.',
    ...perTier(tier => bound(tier.maxItems)),
  },
  {
    name: 'size_bytes',
    type: 'gauge',
    help: 'Bytes held now, where the tier knows or estimates them.',
    ...perTier(tier => tier.bytes),
  },
  {
    name: 'size_limit_bytes',
    type: 'gauge',
    help: 'Most bytes the tier may hold.',
    ...perTier(tier => bound(tier.maxBytes)),
  },
  {
    name: 'evictions_total',
    type: 'counter',
    help: 'Entries removed for want of room, by what was short: items or bytes.',
    ...eachOfTier('cause', ({ evictions, evictionsForBytes = 0 }) => ({
      items: evictions && evictions - evictionsForBytes,
      bytes: evictions && evictionsForBytes,
    })),
  },
  {
    name: 'expirations_total',
    type: 'counter',
    help: 'Entries removed because their time was up.',
    ...perTier(tier => tier.expirations),
  },
  {
    name: 'promotions_total',
    type: 'counter',
    help: 'Entries of the remote that were kept near.',
    ...perTier(tier => tier.promotions),
  },
  {
    name: 'superseded_fills_total',
    type: 'counter',
    help: 'Loaded values that the remote refused, since their key was written or removed meanwhile.',
    ...perTier(tier => tier.supersededFills),
  },
  {
    name: 'serializer_operations_total',
    type: 'counter',
    help: 'Values that the serializer encoded and decoded; not those decoded at a near hit.',
    ...perSerializer(({ encoded, decoded }) => [encoded, decoded]),
  },
  {
    name: 'serializer_seconds_total',
    type: 'counter',
    help: 'Time that the serializer took.',
    ...perSerializer(({ encodeMs, decodeMs }) => [encodeMs / 1_000, decodeMs / 1_000]),
  },
  {
    name: 'compressed_values_total',
    type: 'counter',
    help: 'Values that were stored compressed.',
    ...perCompressor(({ values }) => values),
  },
  {
    name: 'compression_input_bytes_total',
    type: 'counter',
    help: 'Bytes of these values before compression.',
    ...perCompressor(({ bytesIn }) => bytesIn),
  },
  {
    name: 'compression_output_bytes_total',
    type: 'counter',
    help: 'Bytes of these values after compression.',
    ...perCompressor(({ bytesOut }) => bytesOut),
  },
  {
    name: 'compression_ratio',
    type: 'gauge',
    help: 'Bytes before compression for each byte after it, since the start.',
    aggregator: 'min',
    ...perCompressor(({ bytesIn, bytesOut }) => bytesIn / bytesOut),
  },
  {
    name: 'compression_skipped_total',
    type: 'counter',
    help: 'Values stored as they are: too small to be compressed, or not made much smaller by it.',
    ...eachOfTier('cause', ({ codec }) => ({ ...codec?.skipped })),
  },
]

/** One that is never reached is none: whoever wants bytes to be weighed has to name one. */
function bound(limit: number | undefined): number | undefined {
  return limit === Number.MAX_SAFE_INTEGER ? undefined : limit
}

function perSerializer(
  read: (serializer: CodecStats['serializer']) => readonly [encode: number, decode: number],
): Series {
  return perCodec(['operation'], ({ serializer }) => {
    const [encode, decode] = read(serializer)
    const codec = serializer.name
    return [
      [{ codec, operation: 'encode' }, encode],
      [{ codec, operation: 'decode' }, decode],
    ]
  })
}

function perCompressor(read: (compression: CompressionStats) => number): Series {
  return perCodec([], ({ compression }) => compression.map(each => [{ codec: each.name }, read(each)]))
}

/** @param more labels beside cache, tier and codec */
function perCodec(more: readonly LabelName[], read: (codec: CodecStats) => readonly Sample[]): Series {
  return {
    labels: ['cache', 'tier', 'codec', ...more],
    read: ({ cache, stats }) =>
      stats.tiers.flatMap(({ tier, codec }) =>
        (codec ? read(codec) : []).map(([labels, value]): Sample => [{ cache, tier, ...labels }, value]),
      ),
  }
}
