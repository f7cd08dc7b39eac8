import { connect, type Socket } from 'node:net'
import { ListeningProxy } from './listening-proxy.ts'

/** What a {@link TcpProxy} does to the traffic it carries. */
export type ProxyMode =
  /** carries both ways */
  | 'forward'
  /** accepts and carries nothing, as a dead route does */
  | 'blackhole'
  /** refuses new connections with a reset */
  | 'refuse'

/** A TCP proxy in front of a server, to make the network fail in ways a server does not. */
export class TcpProxy extends ListeningProxy {
  #mode: ProxyMode = 'forward'
  /** The port of the server to which new connections are carried; those that stand keep theirs, as with a name that is moved. */
  target: number
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  /** Bytes carried from clients to the server since the start. */
  bytesUp = 0

  private constructor(target: number) {
    super()
    this.target = target
  }

  /** @param target the port of the real server on 127.0.0.1 */
  static start(target: number): Promise<TcpProxy> {
    return new TcpProxy(target).listen()
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Changes what happens to existing and new connections alike. */
  set mode(mode: ProxyMode) {
    this.#mode = mode
    for (const pair of this.#pairs) {
      for (const socket of pair) mode === 'blackhole' ? socket.pause() : socket.resume()
    }
    if (mode === 'refuse') this.cut()
  }

  override cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy()
    this.#pairs.clear()
  }

  protected override accept(client: Socket): void {
    if (this.#mode === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const server = connect(this.target, '127.0.0.1')
    server.on('error', () => {})
    const pair = [client, server] as const
    this.#pairs.add(pair)
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on('data', data => {
        if (from === client) this.bytesUp += data.length
        to.write(data)
      })
      from.on('close', () => {
        this.#pairs.delete(pair)
        to.destroy()
      })
      if (this.#mode === 'blackhole') from.pause()
    }
  }
}
