import { ask } from './ask.ts'
import { eventually } from './eventually.ts'
import { RedisServer } from './redis-server.ts'

const QUORUM = 2
const DOWN_AFTER_MS = 1_000

export interface SentinelTrioOptions {
  /** @default 1 */
  readonly replicas?: number
  /** Further arguments for the master and every replica. */
  readonly args?: readonly string[]
  /** Further lines of every sentinel's configuration. */
  readonly sentinelConfig?: readonly string[]
}

/**
 * Three real sentinels of the test's own that watch a master and its replicas. All are {@link RedisServer}s, to be
 * killed, frozen and restarted as such; a replica is promoted some two to three seconds after its master went silent.
 */
export class SentinelTrio {
  /** What the sentinels call the master. */
  readonly name = 'cache-master'
  readonly sentinels: RedisServer[] = []
  /** The master of the beginning and its replicas. */
  readonly servers: RedisServer[] = []

  private constructor() {}

  static async start(options: SentinelTrioOptions = {}): Promise<SentinelTrio> {
    const trio = new SentinelTrio()
    try {
      await trio.#start(options)
      return trio
    } catch (thrown) {
      await trio.stop()
      throw thrown
    }
  }

  /** What a client is told of the sentinels. */
  get addresses(): { host: string; port: number }[] {
    return this.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  /** The server that the sentinels call master now. */
  async master(): Promise<RedisServer> {
    const told = await Promise.allSettled(this.sentinels.map(sentinel => this.#masterToldBy(sentinel)))
    const ports = told.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
    const agreed = ports.find(port => ports.filter(other => other === port).length >= QUORUM)
    const server = this.servers.find(({ port }) => port === agreed)
    if (!server) throw new Error('the sentinels do not agree on a master')
    return server
  }

  /** Waits until the sentinels name another master than `lost`, and that one takes writes. @returns it */
  async promoted(lost: RedisServer): Promise<RedisServer> {
    let promoted = lost
    await eventually(
      'a replica was promoted',
      async () => {
        promoted = await this.master().catch(() => lost)
        if (promoted === lost) return false
        const [role] = await ask(promoted, client => client.role()).catch(() => [])
        return role === 'master'
      },
      30_000,
    )
    return promoted
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map(server => server.stop()))
  }

  async #start({ replicas = 1, args = [], sentinelConfig = [] }: SentinelTrioOptions): Promise<void> {
    // It is five seconds by default until a replica gets its first copy.
    const common = ['--repl-diskless-sync-delay', '0', ...args]
    const master = await RedisServer.start(common)
    this.servers.push(master)
    for (let i = 0; i < replicas; i++) {
      this.servers.push(await RedisServer.start([...common, '--replicaof', '127.0.0.1', `${master.port}`]))
    }
    // A sentinel asks a master for its replicas at once, and then again after ten seconds only.
    await eventually('the replicas are connected', async () => (await replicasOf(master)) === replicas)
    for (let i = 0; i < 3; i++) {
      this.sentinels.push(await startSentinel(this.name, master.port, sentinelConfig))
    }
    await this.#settled(replicas)
  }

  async #masterToldBy(sentinel: RedisServer): Promise<number> {
    const address = await ask(sentinel, client =>
      client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name),
    )
    return Number((address as string[])[1])
  }

  /** Waits until every sentinel knows the others and all replicas: before that there is no failover. */
  async #settled(replicas: number): Promise<void> {
    for (const sentinel of this.sentinels) {
      await eventually(
        'the sentinels know each other',
        async () => {
          const answer = (await ask(sentinel, client =>
            client.call('SENTINEL', 'MASTER', this.name),
          )) as string[]
          const field = (name: string): string | undefined => answer[answer.indexOf(name) + 1]
          return (
            field('num-other-sentinels') === `${this.sentinels.length - 1}` &&
            field('num-slaves') === `${replicas}` &&
            field('flags') === 'master'
          )
        },
        20_000,
      )
    }
  }
}

function startSentinel(name: string, masterPort: number, config: readonly string[]): Promise<RedisServer> {
  return RedisServer.startSentinel([
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${name} ${DOWN_AFTER_MS}`,
    // A failover that two sentinels began at once is tried again after twice this time.
    `sentinel failover-timeout ${name} 3000`,
    ...config,
  ])
}

async function replicasOf(master: RedisServer): Promise<number> {
  const [, , replicas] = await ask(master, client => client.role())
  return (replicas as unknown[]).length
}
