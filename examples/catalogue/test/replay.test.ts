import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Replay, type ReplayOptions } from '../src/demo/replay.ts'

let server: Server
afterEach(() => server.close())

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Plays until `requests` were answered by the listener. */
async function replay(
  requests: number,
  listener: (...args: [...Parameters<RequestListener>, replay: Replay]) => void,
  options: Partial<ReplayOptions> = {},
): Promise<Replay> {
  let served = 0
  const url = await serve((request, response) => {
    if (++served >= requests) running.stop()
    listener(request, response, running)
  })
  const running = new Replay({ url, ids: Uint32Array.of(1, 2, 3), connections: 1, writes: 0, ...options })
  await running.run()
  return running
}

test('plays the trace in order, and again from its start', async () => {
  const urls: (string | undefined)[] = []
  const { requests, errors } = (
    await replay(5, ({ url }, response) => {
      urls.push(url)
      response.end('{}')
    })
  ).report()
  expect(urls).toEqual([1, 2, 3, 1, 2].map(id => `/products/${id}`))
  expect({ requests, errors }).toEqual({ requests: 5, errors: 0 })
})

test('has no more requests under way than connections, and keeps those', async () => {
  const sockets = new Set<unknown>()
  let underWay = 0
  let most = 0
  await replay(
    60,
    ({ socket }, response) => {
      sockets.add(socket)
      most = Math.max(most, ++underWay)
      setImmediate(() => {
        underWay--
        response.end('{}')
      })
    },
    { connections: 3 },
  )
  expect(most).toBeLessThanOrEqual(3)
  expect(sockets.size).toBe(3)
})

test('counts a status other than 2xx, a broken connection and half an answer as errors, and keeps the first', async () => {
  let served = 0
  const replayed = await replay(4, (_, response) => {
    served++
    if (served === 1) response.writeHead(503).end('no')
    else if (served === 2) response.destroy()
    else if (served === 3)
      response.writeHead(200, { 'content-length': 10 }).write('half', () => response.destroy())
    else response.end('{}')
  })
  expect(replayed.report()).toMatchObject({ requests: 4, errors: 3, firstError: 'GET answered 503: no' })
})

test('a latency is that of the whole answer', async () => {
  const replayed = await replay(1, (_, response) => {
    response.write('{')
    setTimeout(() => response.end('}'), 30)
  })
  expect(replayed.report().worstMs).toBeGreaterThanOrEqual(29)
})

test('a read that shows less than an answered write is stale; one that began before the write is not', async () => {
  let revision = 1
  const shown: number[] = []
  const replayed = await replay(
    40,
    ({ method }, response) => {
      if (method === 'PUT') revision++
      const current = method === 'PUT' || shown.length % 2 === 0 ? revision : 1
      if (method === 'GET') shown.push(current < revision ? 1 : 0)
      response.end(JSON.stringify({ revision: current }))
    },
    { ids: Uint32Array.of(1), writes: 0.3 },
  )
  const stale = shown.filter(Boolean).length
  expect(stale).toBeGreaterThan(0)
  expect(replayed.report().staleReads).toBe(stale)
})

test('a read overtaken by a write is not stale', async () => {
  let revision = 1
  let waiting: (() => void) | undefined
  let overtaken = 0
  const replayed = await replay(
    40,
    ({ method }, response) => {
      const answer = JSON.stringify({ revision: method === 'PUT' ? ++revision : revision })
      const release = waiting
      waiting = undefined
      if (method === 'PUT') {
        if (release) overtaken++
        response.end(answer, () => release?.())
      } else if (release) {
        release()
        response.end(answer)
      } else {
        waiting = () => response.end(answer)
        setTimeout(waiting, 20)
      }
    },
    { ids: Uint32Array.of(1), connections: 2, writes: 0.5 },
  )
  expect(overtaken).toBeGreaterThan(0)
  expect(replayed.report()).toMatchObject({ staleReads: 0, errors: 0 })
})

test('a report tells what happened since the one before', async () => {
  const replayed = await replay(3, (_, response) => response.end('{}'))
  expect(replayed.report().recent.requests).toBe(3)
  const { requests, recent } = replayed.report()
  expect({ requests, recent: recent.requests, p99Ms: recent.p99Ms }).toEqual({
    requests: 3,
    recent: 0,
    p99Ms: 0,
  })
})
