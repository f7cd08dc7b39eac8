import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Held {
  readonly text: string
  readonly expires: number
}

/** The key-value API that `HttpStore` speaks to: keys in memory, each until its time is up. */
export class KvServer {
  readonly #held = new Map<string, Held>()
  readonly #server: Server
  /** While it is set, requests are refused with this status, or not answered at all. */
  fault: number | 'silent' | undefined

  constructor() {
    this.#server = createServer(async (request, response) => {
      const [status, text] = this.fault === undefined ? await this.#answer(request) : [this.fault, '']
      if (status !== 'silent') response.writeHead(status).end(text)
    })
  }

  /** @param port 0 for any that is free. @returns the URL of the API */
  async listen(port = 0): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(port, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage): Promise<readonly [status: number, text: string]> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const key = searchParams.get('key') ?? ''
    switch (`${request.method} ${pathname}`) {
      case 'GET /key': {
        const held = this.#held.get(key)
        return held && held.expires > Date.now() ? [200, held.text] : [404, '']
      }
      case 'PUT /key':
        this.#held.set(key, { text: await textOf(request), expires: Number(searchParams.get('expires')) })
        return [200, '']
      case 'DELETE /key':
        this.#held.delete(key)
        return [200, '']
      case 'DELETE /keys':
        for (const key of this.#held.keys())
          if (key.startsWith(searchParams.get('prefix') ?? '')) this.#held.delete(key)
        return [200, '']
      default:
        return [405, '']
    }
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
