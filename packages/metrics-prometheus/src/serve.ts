import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CacheError, invalidOption, oneOf } from '@cache/core'
import { register as globalRegister } from 'prom-client'
import type { AnyRegistry } from './instruments.ts'

export interface ServeMetricsOptions {
  /** TCP port; 0 takes any free one. @default 8000 */
  readonly port?: number
  /** Address to listen on. @default all of this machine */
  readonly host?: string
  /** What to serve. @default prom-client's global registry, where `collectDefaultMetrics()` reports */
  readonly register?: AnyRegistry
  /** What to do when the port is taken: fail, or take the next free one of the hundred after it. @default 'fail' */
  readonly onPortTaken?: 'fail' | 'next'
}

/** A metrics page being served. */
export interface MetricsEndpoint {
  /** The port it got. */
  readonly port: number
  /** Of the page itself: `http://localhost:8000/metrics`. */
  readonly url: string
  /** Stops listening; a scrape under way gets one second to end. Safe to call again. */
  close(): Promise<void>
}

const NEXT_PORTS = 100
const CLOSE_GRACE_MS = 1_000

/**
 * Serves a registry at `/metrics` with a small `node:http` server of its own; everything else is a 404.
 *
 * It never keeps a process alive: a job that is done may end without closing it.
 *
 * @throws CacheError `INVALID_OPTION` when an option is wrong, the port is taken or listening is not permitted
 */
export async function serveMetrics(options: ServeMetricsOptions = {}): Promise<MetricsEndpoint> {
  const { port = 8_000, host, register = globalRegister } = options
  assertPort(port)
  const onPortTaken = oneOf(options.onPortTaken ?? 'fail', 'onPortTaken', ['fail', 'next'])
  if (typeof register?.metrics !== 'function') {
    throw invalidOption('register', register, 'a prom-client Registry')
  }

  const server = createServer((request, response) => respond(request, response, register))
  server.on('connection', socket => socket.unref())
  const last = onPortTaken === 'next' && port > 0 ? Math.min(port + NEXT_PORTS, 65_535) : port
  await listen(server, host, port, last)
  server.unref()

  const bound = (server.address() as AddressInfo).port
  let closing: Promise<void> | undefined
  return {
    port: bound,
    url: `http://${hostInUrl(host)}:${bound}/metrics`,
    close: () => {
      closing ??= close(server)
      return closing
    },
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  register: AnyRegistry,
): Promise<void> {
  // Scrapes are further apart than Node keeps an idle connection, and one that is not kept cannot delay close().
  response.setHeader('connection', 'close')
  if (request.url?.split('?')[0] !== '/metrics') return plain(response, 404, 'Not found: see /metrics\n')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return plain(response.setHeader('allow', 'GET, HEAD'), 405, 'Only GET and HEAD\n')
  }
  try {
    const page = await register.metrics()
    response.setHeader('content-type', register.contentType).end(page)
  } catch {
    // A collector of the service's own may fail; its reason is not for the network.
    plain(response, 500, 'A metric could not be collected\n')
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
}

async function listen(server: Server, host: string | undefined, first: number, last: number): Promise<void> {
  for (let port = first; ; port++) {
    const failure = await attempt(server, host, port)
    if (!failure) return
    if (failure.code !== 'EADDRINUSE') {
      throw new CacheError('INVALID_OPTION', `cannot listen on port ${port}: ${failure.code}`, {
        cause: failure,
      })
    }
    if (port === last) throw portTaken(first, last, failure)
  }
}

function attempt(
  server: Server,
  host: string | undefined,
  port: number,
): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise(resolve => {
    const settle = (failure?: NodeJS.ErrnoException): void => {
      server.off('error', settle).off('listening', settle)
      resolve(failure)
    }
    server.on('error', settle).on('listening', settle)
    server.listen({ port, ...(host !== undefined && { host }) })
  })
}

function portTaken(first: number, last: number, cause: Error): CacheError {
  const message =
    first === last
      ? `port ${first} is taken; choose another, 0 for any free one, or onPortTaken: 'next'`
      : `ports ${first} to ${last} are all taken; choose another, or 0 for any free one`
  return new CacheError('INVALID_OPTION', message, { cause })
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  // Not unref'd: with all sockets unref'd it is what keeps an awaited close() alive until it is done.
  const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
  await closed
  clearTimeout(deadline)
}

function hostInUrl(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function assertPort(port: unknown): void {
  if (Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535) return
  throw invalidOption('port', port, 'an integer from 0 to 65535')
}
