import { connect, createServer, type Server, type Socket } from 'node:net'

/** A burst that passes without queueing, and what a connection may send in its turn. */
const QUANTUM_BYTES = 16 * 1_024
/** Above it the server is not read from: what waits, waits in its buffers. */
const MAX_QUEUED_BYTES = 512 * 1_024
const TICK_MS = 1

export interface LinkOptions {
  readonly bytesPerSecond: number
  /** How long what left the link is on its way to the client, in milliseconds; timers make it somewhat more. */
  readonly latencyMs: number
}

/** One direction of one connection: what came from the server and waits for its turn on the link. */
interface Flow {
  readonly from: Socket
  readonly to: Socket
  readonly queue: Buffer[]
  queued: number
}

/**
 * A link of limited bandwidth in front of a server, shared by all connections over it, from the server to its clients
 * (requests are small and pass). It shares fairly, as routers with fair queueing do: connections with a backlog take
 * turns, and a small reply on a connection without one does not wait behind the others. So what a reply does wait for
 * is what came before it on its own connection.
 */
export class ShapedLink {
  readonly #target: number
  readonly #bytesPerTick: number
  readonly #latencyMs: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Connections with a backlog, whose turn it is first. */
  readonly #waiting: Flow[] = []
  #credit = 0
  #timer: NodeJS.Timeout | undefined
  #ticked = 0

  private constructor(target: number, { bytesPerSecond, latencyMs }: LinkOptions) {
    this.#target = target
    this.#latencyMs = latencyMs
    this.#bytesPerTick = (bytesPerSecond * TICK_MS) / 1_000
    this.#server = createServer({ noDelay: true }, client => this.#accept(client))
  }

  /** @param target the port of the server on 127.0.0.1 */
  static async start(target: number, options: LinkOptions): Promise<ShapedLink> {
    const link = new ShapedLink(target, options)
    await new Promise<void>(resolve => link.#server.listen(0, '127.0.0.1', resolve))
    return link
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as { port: number }).port}`
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    const closed = new Promise(resolve => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const flow: Flow = { from: server, to: client, queue: [], queued: 0 }
    client.on('data', data => server.write(data))
    server.on('data', data => this.#carry(flow, data))
    for (const [socket, other] of [[client, server] as const, [server, client] as const]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
  }

  #carry(flow: Flow, data: Buffer): void {
    if (flow.queued === 0 && data.length <= QUANTUM_BYTES) {
      this.#send(flow, data)
      return
    }
    if (flow.queued === 0) this.#waiting.push(flow)
    flow.queue.push(data)
    flow.queued += data.length
    if (flow.queued > MAX_QUEUED_BYTES) flow.from.pause()
    if (this.#timer !== undefined) return
    this.#credit = 0
    this.#scheduleTick()
  }

  #scheduleTick(): void {
    this.#ticked = performance.now()
    this.#timer = setTimeout(() => this.#tick(), TICK_MS)
  }

  /** Timers come late: credit is for the time that passed, and what is not used is not saved. */
  #tick(): void {
    const elapsed = performance.now() - this.#ticked
    this.#timer = undefined
    this.#credit = Math.min(this.#credit, 0) + (elapsed / TICK_MS) * this.#bytesPerTick
    while (this.#credit > 0 && this.#waiting.length > 0) this.#serve(this.#waiting.shift() as Flow)
    if (this.#waiting.length > 0) this.#scheduleTick()
  }

  #serve(flow: Flow): void {
    const [first] = flow.queue as [Buffer]
    const sent = first.subarray(0, QUANTUM_BYTES)
    if (sent.length === first.length) flow.queue.shift()
    else flow.queue[0] = first.subarray(QUANTUM_BYTES)
    flow.queued -= sent.length
    this.#send(flow, sent)
    if (flow.queued <= MAX_QUEUED_BYTES / 2) flow.from.resume()
    if (flow.queued > 0) this.#waiting.push(flow)
  }

  #send({ to }: Flow, data: Buffer): void {
    this.#credit -= data.length
    setTimeout(() => to.write(data), this.#latencyMs)
  }
}
