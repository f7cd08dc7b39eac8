import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { eventually, freePort } from '@cache/test-support'
import { Gauge, register as globalRegister, Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { type MetricsEndpoint, type ServeMetricsOptions, serveMetrics } from './serve.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const endpoint of open.splice(0)) await endpoint.close()
})

async function serve(options: ServeMetricsOptions): Promise<MetricsEndpoint> {
  const endpoint = await serveMetrics(options)
  open.push(endpoint)
  return endpoint
}

/** Holds a port until the end of the test. */
async function occupy(port = 0): Promise<number> {
  const server = createServer()
  open.push(server)
  await new Promise<void>(resolve => server.listen(port, resolve))
  return (server.address() as { port: number }).port
}

test('serves the registry at /metrics with its content type', async () => {
  const register = new Registry()
  new Gauge({ name: 'answer', help: 'of all', registers: [register] }).set(42)
  const { url, port } = await serve({ port: 0, register })
  expect(url).toBe(`http://localhost:${port}/metrics`)
  const response = await fetch(`${url}?x=1`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe(register.contentType)
  expect(await response.text()).toContain('answer 42')
})

test('serves the global registry unless told otherwise', async () => {
  const gauge = new Gauge({ name: 'global_answer', help: 'of all' })
  gauge.set(42)
  const { url } = await serve({ port: 0 })
  expect(await (await fetch(url)).text()).toContain('global_answer 42')
  globalRegister.removeSingleMetric('global_answer')
})

test('anything but GET or HEAD of /metrics is refused', async () => {
  const { url, port } = await serve({ port: 0, register: new Registry() })
  expect((await fetch(`http://localhost:${port}/`)).status).toBe(404)
  expect((await fetch(`${url}/more`)).status).toBe(404)
  const post = await fetch(url, { method: 'POST', body: 'x' })
  expect(post.status).toBe(405)
  expect(post.headers.get('allow')).toBe('GET, HEAD')
  const head = await fetch(url, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('a collector that fails is a 500 without its reason, and the next scrape is served', async () => {
  const register = new Registry()
  let broken = true
  const collect = (): void => {
    if (broken) throw new Error('secret')
  }
  new Gauge({ name: 'fragile', help: 'fails once', registers: [register], collect })
  const { url } = await serve({ port: 0, register })
  const failed = await fetch(url)
  expect(failed.status).toBe(500)
  expect(await failed.text()).not.toContain('secret')
  broken = false
  expect((await fetch(url)).status).toBe(200)
})

test('listens where it is told', async () => {
  const { url, port } = await serve({ port: await freePort(), host: '127.0.0.1', register: new Registry() })
  expect(url).toBe(`http://127.0.0.1:${port}/metrics`)
  expect((await fetch(url)).status).toBe(200)
})

test('a taken port is a clear error', async () => {
  const port = await occupy()
  await expect(serveMetrics({ port })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining(`port ${port} is taken`),
  })
})

test('a taken port gives way to the next free one if asked', async () => {
  const port = await occupy()
  const endpoint = await serve({ port, onPortTaken: 'next', register: new Registry() })
  expect(endpoint.port).toBeGreaterThan(port)
  expect(endpoint.port).toBeLessThanOrEqual(port + 100)
  expect((await fetch(endpoint.url)).status).toBe(200)
})

test('a host that is not of this machine is a clear error', async () => {
  await expect(serveMetrics({ port: 0, host: '192.0.2.1' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('EADDRNOTAVAIL'),
  })
})

test.each([
  [{ port: -1 }, 'port must be an integer from 0 to 65535; received -1'],
  [{ port: 65_536 }, 'port must be'],
  [{ port: '8000' }, 'port must be an integer from 0 to 65535; received "8000"'],
  [{ port: 0, register: {} }, 'register must be a prom-client Registry'],
  [{ port: 0, onPortTaken: 'retry' }, 'onPortTaken must be one of fail, next; received "retry"'],
])('bad options are refused by name: %o', async (options, message) => {
  const started = Reflect.apply(serveMetrics, undefined, [options]) as Promise<unknown>
  await expect(started).rejects.toThrow(message)
})

test('close lets a scrape end, and frees the port', async () => {
  const register = new Registry()
  let release = (): void => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  let asked = false
  const collect = (): Promise<void> => {
    asked = true
    return held
  }
  new Gauge({ name: 'slow', help: 'waits', registers: [register], collect })
  const endpoint = await serve({ port: 0, register })
  const scrape = fetch(endpoint.url)
  await eventually('the scrape has begun', () => asked)
  const closed = endpoint.close()
  release()
  expect((await scrape).status).toBe(200)
  await closed
  await endpoint.close()
  expect(await occupy(endpoint.port)).toBe(endpoint.port)
})

test('close does not wait for a scrape that never ends', async () => {
  const register = new Registry()
  let asked = false
  const collect = (): Promise<void> => {
    asked = true
    return new Promise(() => {})
  }
  new Gauge({ name: 'stuck', help: 'waits for ever', registers: [register], collect })
  const endpoint = await serve({ port: 0, register })
  const broken = new Promise(resolve => request(endpoint.url).on('error', resolve).end())
  await eventually('the scrape has begun', () => asked)
  await endpoint.close()
  expect(await broken).toMatchObject({ code: 'ECONNRESET' })
})

test('close does not wait for a connection that asks nothing', async () => {
  const endpoint = await serve({ port: 0, register: new Registry() })
  const socket = connect(endpoint.port, 'localhost')
  const ended = new Promise(resolve => socket.once('close', resolve))
  await new Promise(resolve => socket.once('connect', resolve))
  await endpoint.close()
  await ended
})
