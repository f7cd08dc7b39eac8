import type { HistoryEvent, Violation } from './protocol.ts'

type Read = Extract<HistoryEvent, { readonly type: 'read' }>
type Written = Extract<HistoryEvent, { readonly type: 'write' }>

/** An invalidation that a process had been told is applied. */
interface Applied {
  readonly key: number
  readonly version: number
  readonly kind: string
  readonly endedAt: number
}

/**
 * Checks what processes did while nothing went wrong. Each key is a register of versions that only grow; a read is right if its
 * version was written at all, and is not older than an invalidation that its process knew to be applied when it began. What the
 * other processes owe each other is judged by the floors, after every message has arrived.
 *
 * @param histories of each process
 * @param latest version of each key
 */
export function checkHistories(
  histories: readonly (readonly HistoryEvent[])[],
  latest: readonly number[],
): Violation[] {
  return histories.flatMap((history, slot) => {
    const applied = Map.groupBy(history.filter(isWritten).flatMap(appliedBy), ({ key }) => key)
    return history.filter(isRead).flatMap((read): Violation[] => {
      const { key, version, startedAt } = read
      const what = `process ${slot} read version ${version} of ${key}`
      if (version > (latest[key] ?? 0)) return [{ kind: 'never written', what }]
      const missed = applied.get(key)?.find(write => write.endedAt < startedAt && write.version > version)
      if (!missed) return []
      const after = `${what} after its ${missed.kind} of ${missed.version}`
      return [{ kind: 'own write not seen', what: after }]
    })
  })
}

function isRead(event: HistoryEvent): event is Read {
  return event.type === 'read'
}

function isWritten(event: HistoryEvent): event is Written {
  return event.type === 'write'
}

function appliedBy({ status, keys, versions, kind, endedAt }: Written): Applied[] {
  if (status !== 'applied') return []
  return keys.map((key, i) => ({ key, version: versions[i] as number, kind, endedAt }))
}
