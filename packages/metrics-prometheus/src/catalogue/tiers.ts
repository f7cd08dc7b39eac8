import type { CodecStats, CompressionStats } from '@cache/core'
import { type Labels, perTier, type Reading, type ReadMetric, type Sample } from './metric.ts'

/** What each tier holds, and what became of it. */
export const TIERS: readonly ReadMetric[] = [
  {
    name: 'items',
    type: 'gauge',
    help: 'Entries held now.',
    labels: ['cache', 'tier'],
    read: perTier(tier => tier.items),
  },
  {
    name: 'items_limit',
    type: 'gauge',
    help: 'Most entries the tier may hold.',
    labels: ['cache', 'tier'],
    read: perTier(tier => bound(tier.maxItems)),
  },
  {
    name: 'size_bytes',
    type: 'gauge',
    help: 'Bytes held now, where the tier knows or estimates them.',
    labels: ['cache', 'tier'],
    read: perTier(tier => tier.bytes),
  },
  {
    name: 'size_limit_bytes',
    type: 'gauge',
    help: 'Most bytes the tier may hold.',
    labels: ['cache', 'tier'],
    read: perTier(tier => bound(tier.maxBytes)),
  },
  {
    name: 'evictions_total',
    type: 'counter',
    help: 'Entries removed for want of room, by what was short: items or bytes.',
    labels: ['cache', 'tier', 'cause'],
    read: ({ cache, stats }) =>
      stats.tiers.flatMap(({ tier, evictions, evictionsForBytes = 0 }) => [
        [{ cache, tier, cause: 'items' }, evictions && evictions - evictionsForBytes],
        [{ cache, tier, cause: 'bytes' }, evictions && evictionsForBytes],
      ]),
  },
  {
    name: 'expirations_total',
    type: 'counter',
    help: 'Entries removed because their time was up.',
    labels: ['cache', 'tier'],
    read: perTier(tier => tier.expirations),
  },
  {
    name: 'promotions_total',
    type: 'counter',
    help: 'Entries of the remote that were kept near.',
    labels: ['cache', 'tier'],
    read: perTier(tier => tier.promotions),
  },
  {
    name: 'superseded_fills_total',
    type: 'counter',
    help: 'Loaded values that the remote refused, since their key was written or removed meanwhile.',
    labels: ['cache', 'tier'],
    read: perTier(tier => tier.supersededFills),
  },
  {
    name: 'serializer_operations_total',
    type: 'counter',
    help: 'Values that the serializer encoded and decoded; not those decoded at a near hit.',
    labels: ['cache', 'tier', 'codec', 'operation'],
    read: perSerializer(({ encoded, decoded }) => [encoded, decoded]),
  },
  {
    name: 'serializer_seconds_total',
    type: 'counter',
    help: 'Time that the serializer took.',
    labels: ['cache', 'tier', 'codec', 'operation'],
    read: perSerializer(({ encodeMs, decodeMs }) => [encodeMs / 1_000, decodeMs / 1_000]),
  },
  {
    name: 'compressed_values_total',
    type: 'counter',
    help: 'Values that were stored compressed.',
    labels: ['cache', 'tier', 'codec'],
    read: perCompressor(({ values }) => values),
  },
  {
    name: 'compression_input_bytes_total',
    type: 'counter',
    help: 'Bytes of these values before compression.',
    labels: ['cache', 'tier', 'codec'],
    read: perCompressor(({ bytesIn }) => bytesIn),
  },
  {
    name: 'compression_output_bytes_total',
    type: 'counter',
    help: 'Bytes of these values after compression.',
    labels: ['cache', 'tier', 'codec'],
    read: perCompressor(({ bytesOut }) => bytesOut),
  },
  {
    name: 'compression_ratio',
    type: 'gauge',
    help: 'Bytes before compression for each byte after it, since the start.',
    labels: ['cache', 'tier', 'codec'],
    aggregator: 'min',
    read: perCompressor(({ bytesIn, bytesOut }) => bytesIn / bytesOut),
  },
  {
    name: 'compression_skipped_total',
    type: 'counter',
    help: 'Values stored as they are: too small to be compressed, or not made much smaller by it.',
    labels: ['cache', 'tier', 'cause'],
    read: perCodec(({ skipped }, labels) => [
      [{ ...labels, cause: 'small' }, skipped.small],
      [{ ...labels, cause: 'incompressible' }, skipped.incompressible],
    ]),
  },
]

/** One that is never reached is none: whoever wants bytes to be weighed has to name one. */
function bound(limit: number | undefined): number | undefined {
  return limit === Number.MAX_SAFE_INTEGER ? undefined : limit
}

function perCodec(read: (codec: CodecStats, labels: Labels) => readonly Sample[]): ReadMetric['read'] {
  return ({ cache, stats }: Reading) =>
    stats.tiers.flatMap(({ tier, codec }) => (codec ? read(codec, { cache, tier }) : []))
}

function perSerializer(
  read: (serializer: CodecStats['serializer']) => readonly [encode: number, decode: number],
): ReadMetric['read'] {
  return perCodec(({ serializer }, labels) => {
    const [encode, decode] = read(serializer)
    const codec = serializer.name
    return [
      [{ ...labels, codec, operation: 'encode' }, encode],
      [{ ...labels, codec, operation: 'decode' }, decode],
    ]
  })
}

function perCompressor(read: (compression: CompressionStats) => number): ReadMetric['read'] {
  return perCodec(({ compression }, labels) =>
    compression.map(each => [{ ...labels, codec: each.name }, read(each)]),
  )
}
