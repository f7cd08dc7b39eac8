import type { Connection } from './connection.ts'

/** Values from this size on travel apart, and get more time. */
const LARGE_BYTES = 256 * 1024
/** Above it, one more millisecond for so many bytes: a link of about 100 Mbit/s. */
const BYTES_PER_MS = 10 * 1024

/** Connections that take the same kind of traffic. */
export type Lane = readonly Connection[]

/**
 * Keeps large values away from small ones: a small answer behind a large one on the same connection waits for all of
 * it, however many other connections there are. Of two or more connections, one is the lane of large values.
 */
export class Lanes {
  readonly small: Lane
  readonly large: Lane
  readonly #all: Lane

  /** @param connections at least one */
  constructor(connections: Lane) {
    this.#all = connections
    const apart = connections.length > 1
    this.small = apart ? connections.slice(0, -1) : connections
    this.large = apart ? connections.slice(-1) : connections
  }

  for(bytes: number): Lane {
    return isLarge(bytes) ? this.large : this.small
  }

  /**
   * Where a command is answered soonest. A lane that is down is stood in for by the other, and small values also take
   * the lane of large ones while nothing is under way there.
   */
  soonest(lane: Lane): Connection {
    const best = soonest(lane)
    if (!best.ready) return soonest(this.#all)
    if (lane !== this.small || best.pending === 0) return best
    return this.large.find(connection => connection.ready && connection.pending === 0) ?? best
  }
}

export function isLarge(bytes: number): boolean {
  return bytes >= LARGE_BYTES
}

/** What so many bytes may take beyond the plain deadline, in milliseconds. */
export function allowance(bytes: number): number {
  return Math.ceil(Math.max(0, bytes - LARGE_BYTES) / BYTES_PER_MS)
}

/** Of those that answer, the one that owes the fewest answers. */
function soonest(lane: Lane): Connection {
  for (const connection of lane) if (connection.ready && connection.pending === 0) return connection
  return lane.reduce((best, other) => (sooner(other, best) ? other : best))
}

function sooner(a: Connection, b: Connection): boolean {
  if (a.ready !== b.ready) return a.ready
  if (a.open !== b.open) return a.open
  return a.pending < b.pending
}
