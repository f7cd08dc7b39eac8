import { runIdOf } from './identity.ts'
import type { ClusterLike, ServerLike } from './redis-like.ts'

/** Calls `onChange` when slots of a cluster have another master than before, or a master began anew. */
export function watchMasters(cluster: ClusterLike, onChange: () => void): void {
  let masters = mastersOf(cluster)
  const runIds = new Map<string, string>()

  const watch = (node: ServerLike): void => {
    const address = `${node.options?.host}:${node.options?.port}`
    const meet = async (): Promise<void> => {
      const runId = await runIdOf(node)
      const before = runIds.get(address)
      if (runId !== undefined) runIds.set(address, runId)
      if (runId !== undefined && before !== undefined && before !== runId) onChange()
    }
    node.on('ready', () => void meet())
    if (node.status === 'ready') void meet()
  }

  for (const node of cluster.nodes('master')) watch(node)
  cluster.on('+node', node => watch(node as ServerLike))
  cluster.on('refresh', () => {
    const before = masters
    masters = mastersOf(cluster)
    // Slots that were not known yet are not changed ones.
    if (before.some((master, slot) => master !== undefined && masters[slot] !== master)) onChange()
  })
}

function mastersOf(cluster: ClusterLike): readonly (string | undefined)[] {
  return Array.from(cluster.slots, nodes => nodes?.[0])
}
