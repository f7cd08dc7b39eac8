import { RedisCluster, RedisServer, SentinelTrio, ToxicProxy } from '@cache/test-support'
import type { Address, WorkerOptions } from './protocol.ts'

export type Topology = 'server' | 'sentinels' | 'cluster'

/** How a process reaches Redis: the proxies in between, one for each server, and what a `RedisStore` is told. */
export interface Access {
  readonly proxies: readonly ToxicProxy[]
  readonly redis: WorkerOptions['redis']
}

/** Where to find a server that is told of as `host:port`. */
type NatMap = Readonly<Record<string, Address>>

/** The Redis that the processes share: one server, a master with a replica and three sentinels, or a cluster. */
export class Backend {
  readonly #shared: RedisServer | SentinelTrio | RedisCluster

  private constructor(shared: RedisServer | SentinelTrio | RedisCluster) {
    this.#shared = shared
  }

  static async start(topology: Topology): Promise<Backend> {
    if (topology === 'sentinels') return new Backend(await SentinelTrio.start())
    // Else the slots that are left refuse everything as long as some are down.
    if (topology === 'cluster') {
      return new Backend(await RedisCluster.start(['--cluster-require-full-coverage', 'no']))
    }
    return new Backend(await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'no']))
  }

  get server(): RedisServer {
    if (this.#shared instanceof RedisServer) return this.#shared
    throw new Error('there is no single server')
  }

  get trio(): SentinelTrio {
    if (this.#shared instanceof SentinelTrio) return this.#shared
    throw new Error('there are no sentinels')
  }

  get cluster(): RedisCluster {
    if (this.#shared instanceof RedisCluster) return this.#shared
    throw new Error('there is no cluster')
  }

  /** Of a process of its own, through proxies of its own. */
  async access(): Promise<Access> {
    const proxies = await Promise.all(this.#servers.map(({ port }) => ToxicProxy.start(port)))
    const near = proxies.map(({ port }) => ({ host: '127.0.0.1', port }))
    const natMap = Object.fromEntries(
      this.#servers.map(({ port }, i) => [`127.0.0.1:${port}`, near[i] as Address]),
    )
    return { proxies, redis: this.#redis(near, natMap) }
  }

  /** With nothing in between. */
  get direct(): WorkerOptions['redis'] {
    return this.#redis(this.#servers.map(({ port }) => ({ host: '127.0.0.1', port })))
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.thaw()
    await this.#shared.stop()
  }

  get #servers(): readonly RedisServer[] {
    if (this.#shared instanceof RedisServer) return [this.#shared]
    return this.#shared instanceof SentinelTrio ? this.#shared.servers : this.#shared.nodes
  }

  #redis(servers: readonly Address[], natMap: NatMap = {}): WorkerOptions['redis'] {
    if (this.#shared instanceof RedisServer) return { url: `redis://127.0.0.1:${servers[0]?.port}` }
    if (this.#shared instanceof RedisCluster) return { cluster: { nodes: servers, natMap } }
    const { name, addresses: sentinels } = this.#shared
    return { connection: { name, sentinels, natMap } }
  }
}
