import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** A server on a free port that does as it likes with the connections of clients. */
export abstract class ListeningProxy {
  readonly #server: Server = createServer(client => {
    client.on('error', () => {})
    this.accept(client)
  })

  protected abstract accept(client: Socket): void

  /** Breaks every connection that stands now. */
  abstract cut(): void

  protected async listen(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.cut()
    await closed
  }
}
