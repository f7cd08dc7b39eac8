import { RedisServer, SentinelTrio, ToxicProxy } from '@cache/test-support'
import type { WorkerOptions } from './protocol.ts'

export type Topology = 'server' | 'sentinels'

/** How a process reaches Redis: the proxies in between, one for each server, and what a `RedisStore` is told. */
export interface Access {
  readonly proxies: readonly ToxicProxy[]
  readonly redis: WorkerOptions['redis']
}

/** The Redis that the processes share: a single server, or a master with a replica and three sentinels. */
export class Backend {
  readonly #server: RedisServer | undefined
  readonly #trio: SentinelTrio | undefined

  private constructor(server: RedisServer | undefined, trio: SentinelTrio | undefined) {
    this.#server = server
    this.#trio = trio
  }

  static async start(topology: Topology): Promise<Backend> {
    return topology === 'sentinels'
      ? new Backend(undefined, await SentinelTrio.start())
      : new Backend(await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'no']), undefined)
  }

  get server(): RedisServer {
    if (!this.#server) throw new Error('there is no single server')
    return this.#server
  }

  get trio(): SentinelTrio {
    if (!this.#trio) throw new Error('there are no sentinels')
    return this.#trio
  }

  /** Of a process of its own, through proxies of its own. */
  async access(): Promise<Access> {
    const servers = this.#trio?.servers ?? [this.server]
    const proxies = await Promise.all(servers.map(({ port }) => ToxicProxy.start(port)))
    if (!this.#trio) return { proxies, redis: { url: proxies[0]?.url ?? '' } }
    const natMap = Object.fromEntries(
      servers.map(({ port }, i) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: proxies[i]?.port ?? 0 }]),
    )
    const { name, addresses: sentinels } = this.#trio
    return { proxies, redis: { connection: { name, sentinels, natMap } } }
  }

  /** With nothing in between. */
  get direct(): WorkerOptions['redis'] {
    if (!this.#trio) return { url: this.server.url }
    const { name, addresses: sentinels } = this.#trio
    return { connection: { name, sentinels } }
  }

  async stop(): Promise<void> {
    for (const server of this.#trio?.servers ?? [this.server]) server.thaw()
    await Promise.all([this.#server?.stop(), this.#trio?.stop()])
  }
}
