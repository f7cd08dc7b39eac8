import { ask, fieldsOf } from './ask.ts'
import { certificates } from './certificates.ts'
import { eventually } from './eventually.ts'
import { freePort, RedisServer } from './redis-server.ts'

const MASTERS = 3
const SLOTS = 16_384
/** Keys that one MIGRATE takes along. */
const MIGRATED_AT_ONCE = 100

/** One line of CLUSTER NODES. */
interface Seen {
  readonly id: string
  readonly port: number
  readonly flags: readonly string[]
  /** The later one decides between two masters that claim the same slot. */
  readonly epoch: number
  readonly slots: readonly (readonly [first: number, last: number])[]
}

/**
 * A real Redis Cluster of the test's own: three masters, each with a replica, all on free ports. A node is a
 * {@link RedisServer}, to be killed, frozen and restarted as such; a replica takes over some three seconds later.
 */
export class RedisCluster {
  readonly nodes: readonly ClusterNode[]

  private constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes
  }

  /** @param args further arguments for every node */
  static start(args: readonly string[] = []): Promise<RedisCluster> {
    return RedisCluster.#of(() => startNode(args))
  }

  /** One whose nodes speak TLS with each other, and with clients at {@link tlsAddresses}. */
  static startTls(): Promise<RedisCluster> {
    return RedisCluster.#of(startTlsNode)
  }

  static async #of(node: () => Promise<ClusterNode>): Promise<RedisCluster> {
    const nodes = await Promise.all(Array.from({ length: 2 * MASTERS }, node))
    const cluster = new RedisCluster(nodes)
    try {
      await cluster.#join()
      return cluster
    } catch (thrown) {
      await cluster.stop()
      throw thrown
    }
  }

  /** Where a client may begin: any of them will do. */
  get addresses(): { host: string; port: number }[] {
    return this.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  /** Likewise, of a cluster that speaks TLS. */
  get tlsAddresses(): { host: string; port: number }[] {
    return this.nodes.map(({ announcedPort }) => ({ host: '127.0.0.1', port: announcedPort }))
  }

  /** The nodes that hold slots now, in order of their slots. */
  async masters(): Promise<RedisServer[]> {
    const holders = (await this.#view()).filter(({ slots }) => slots.length > 0)
    const ordered = holders.toSorted((a, b) => (a.slots[0]?.[0] ?? 0) - (b.slots[0]?.[0] ?? 0))
    return ordered.map(({ port }) => this.#nodeAt(port))
  }

  async masterOf(slot: number): Promise<RedisServer> {
    const view = await this.#view()
    const holder = view.find(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last))
    if (!holder) throw new Error(`nobody holds slot ${slot}`)
    return this.#nodeAt(holder.port)
  }

  /** Waits until another node than `lost` holds the slots that were its own, and every other node has heard of it. */
  async failedOver(lost: RedisServer): Promise<void> {
    const others = this.nodes.filter(node => node !== lost)
    await eventually(
      'a replica took over',
      async () => {
        const views = await Promise.all(others.map(node => seenBy(node).catch(() => [])))
        return views.every(
          view =>
            view.length > 0 && view.every(({ port, slots }) => port !== lost.port || slots.length === 0),
        )
      },
      20_000,
    )
    await Promise.all(others.map(answersData))
  }

  /** Moves slots with all their keys, one after the other, while clients go on: as a reshard does. */
  async moveSlots(
    from: RedisServer,
    to: RedisServer,
    [first, last]: readonly [first: number, last: number],
  ): Promise<void> {
    const [source, target] = await Promise.all([from, to].map(idOf))
    const masters = await this.masters()
    for (let slot = first; slot <= last; slot++) {
      await ask(to, client => client.cluster('SETSLOT', slot, 'IMPORTING', String(source)))
      await ask(from, async client => {
        await client.cluster('SETSLOT', slot, 'MIGRATING', String(target))
        for (;;) {
          const keys = (await client.cluster('GETKEYSINSLOT', slot, MIGRATED_AT_ONCE)) as string[]
          if (keys.length === 0) return
          await client.migrate('127.0.0.1', to.port, '', 0, 1_000, 'KEYS', ...keys)
        }
      })
      // The new owner is told first: told last, it would refuse what the old one sends on to it.
      for (const node of [to, from, ...masters.filter(other => other !== from && other !== to)]) {
        await ask(node, client => client.cluster('SETSLOT', slot, 'NODE', String(target)))
      }
    }
    await this.#agreedOnHolder(String(target), [first, last])
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.stop()))
  }

  async #join(): Promise<void> {
    const ids = await Promise.all(this.nodes.map(idOf))
    await Promise.all(
      this.nodes.map((node, i) =>
        ask(node, async client => {
          // Each its own: settling equal epochs would take the nodes some seconds.
          await client.cluster('SET-CONFIG-EPOCH', i + 1)
          if (i < MASTERS) await client.cluster('ADDSLOTSRANGE', ...shareOf(i))
          for (const { announcedPort, busPort } of this.nodes.slice(i + 1)) {
            await client.call('CLUSTER', 'MEET', '127.0.0.1', announcedPort, busPort)
          }
        }),
      ),
    )
    await Promise.all(this.nodes.map(node => knowsAll(node, ids.length)))
    await Promise.all(
      this.nodes
        .slice(MASTERS)
        .map((node, i) => ask(node, client => client.cluster('REPLICATE', ids[i] ?? ''))),
    )
    await Promise.all(this.nodes.map(answersData))
    await Promise.all(this.nodes.map(node => seesReplicas(node)))
  }

  /**
   * Waits until every node that answers has heard who holds these slots, and by which configuration epoch: a replica
   * that has not would claim them back for its own side in the next failover.
   */
  async #agreedOnHolder(id: string, [first, last]: readonly [first: number, last: number]): Promise<void> {
    await eventually('the nodes agree on who holds the slots', async () => {
      const told = await Promise.allSettled(this.nodes.map(seenBy))
      const views = told.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
      const epochs = views.map(view => view.find(node => node.id === id)?.epoch)
      return (
        new Set(epochs).size === 1 &&
        views.every(view => hasDistinctEpochs(view) && holds(view, id, [first, last]))
      )
    })
  }

  /** As the node tells that knows of the latest failover: one that was frozen believes in its old role for a while. */
  async #view(): Promise<Seen[]> {
    const told = await Promise.allSettled(
      this.nodes.map(async node => ({ epoch: await epochOf(node), view: await seenBy(node) })),
    )
    const views = told.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
    return views.toSorted((a, b) => b.epoch - a.epoch)[0]?.view ?? []
  }

  #nodeAt(port: number): RedisServer {
    const node = this.nodes.find(each => each.port === port)
    if (!node) throw new Error(`no node of this cluster has port ${port}`)
    return node
  }
}

type ClusterNode = RedisServer & {
  /** Where the nodes talk to each other. */
  readonly busPort: number
  /** By which the nodes name it: that of TLS where they speak it. */
  readonly announcedPort: number
}

async function startTlsNode(): Promise<ClusterNode> {
  const announcedPort = await freePort()
  const node = await startNode([
    ...['--tls-port', `${announcedPort}`, '--tls-cluster', 'yes', '--tls-replication', 'yes'],
    ...certificates.serverArgs,
  ])
  return Object.assign(node, { announcedPort })
}

async function startNode(args: readonly string[]): Promise<ClusterNode> {
  // The usual one, 10,000 above, may lie in the range from which clients get theirs.
  const busPort = await freePort()
  const node = await RedisServer.start([
    ...['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`, '--cluster-node-timeout', '1500'],
    // It is five seconds by default until a replica gets its first copy.
    ...['--repl-diskless-sync-delay', '0'],
    ...args,
  ])
  return Object.assign(node, { busPort, announcedPort: node.port })
}

function shareOf(master: number): [first: number, last: number] {
  const from = (index: number): number => Math.floor((index * SLOTS) / MASTERS)
  return [from(master), from(master + 1) - 1]
}

async function idOf(node: RedisServer): Promise<string> {
  return String(await ask(node, client => client.cluster('MYID')))
}

async function epochOf(node: RedisServer): Promise<number> {
  return Number(fieldsOf(await ask(node, client => client.cluster('INFO'))).cluster_current_epoch)
}

async function seenBy(node: RedisServer): Promise<Seen[]> {
  const lines = String(await ask(node, client => client.cluster('NODES')))
    .trim()
    .split('\n')
  return lines.map(line => {
    const [id = '', address = '', flags = '', , , , epoch, , ...slots] = line.split(' ')
    return {
      id,
      port: Number(/:(\d+)@/.exec(address)?.[1]),
      flags: flags.split(','),
      epoch: Number(epoch),
      // Those in brackets are on their way, and still held.
      slots: slots
        .filter(range => !range.startsWith('['))
        .map(range => {
          const [first, last = first] = range.split('-').map(Number)
          return [first ?? 0, last ?? 0] as const
        }),
    }
  })
}

function hasDistinctEpochs(view: readonly Seen[]): boolean {
  const holders = view.filter(({ slots }) => slots.length > 0)
  return new Set(holders.map(({ epoch }) => epoch)).size === holders.length
}

function holds(view: readonly Seen[], id: string, [first, last]: readonly [number, number]): boolean {
  const slots = view.find(node => node.id === id)?.slots ?? []
  // A node may list neighbouring slots apart while one of them is on its way.
  for (let slot = first; slot <= last; slot++) {
    if (!slots.some(([from, to]) => from <= slot && slot <= to)) return false
  }
  return true
}

function knowsAll(node: RedisServer, count: number): Promise<void> {
  return eventually('the nodes have met', async () => {
    const view = await seenBy(node).catch(() => [])
    return view.length === count && view.every(({ flags }) => !flags.includes('handshake'))
  })
}

function seesReplicas(node: RedisServer): Promise<void> {
  return eventually('every node knows the replicas', async () => {
    const view = await seenBy(node).catch(() => [])
    return view.filter(({ flags }) => flags.includes('slave')).length === MASTERS
  })
}

/** Waits until a node takes part, and is connected to its master if it is a replica. */
function answersData(node: RedisServer): Promise<void> {
  return eventually(
    'the cluster is up',
    async () => {
      const [cluster, replication] = await ask(node, client =>
        Promise.all([client.cluster('INFO'), client.info('replication')]),
      ).catch(() => [])
      const { role, master_link_status } = fieldsOf(replication)
      return fieldsOf(cluster).cluster_state === 'ok' && (role === 'master' || master_link_status === 'up')
    },
    20_000,
  )
}
