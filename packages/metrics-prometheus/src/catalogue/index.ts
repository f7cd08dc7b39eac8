import { INCIDENTS } from './incidents.ts'
import type { EventMetric, ReadMetric } from './metric.ts'
import { REMOTE } from './remote.ts'
import { TIERS } from './tiers.ts'
import { TRAFFIC, TRAFFIC_EVENTS } from './traffic.ts'

export const READ_METRICS: readonly ReadMetric[] = [...TRAFFIC, ...TIERS, ...REMOTE]
export const EVENT_METRICS: readonly EventMetric[] = [...TRAFFIC_EVENTS, ...INCIDENTS]

/** Every metric, declared once: exposition, table of the README, dashboard and alerts follow from this list. */
export const METRICS: readonly (ReadMetric | EventMetric)[] = [...READ_METRICS, ...EVENT_METRICS]
