import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, expect, test } from 'vitest'
import { PrometheusMetrics } from '../src/index.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const metrics = new PrometheusMetrics()

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** The line of the README for a framework, run with the app that it is about. */
function apply(framework: string, app: unknown): void {
  const [, code] = new RegExp(`// ${framework}\\n(.*?)\\n(\\n|\`\`\`)`, 's').exec(readme) ?? []
  if (!code) throw new Error(`the README has nothing for ${framework}`)
  new Function('app', 'metrics', code)(app, metrics)
}

async function expectPage(response: Response): Promise<void> {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe(metrics.register.contentType)
  expect(await response.text()).toContain('# TYPE cache_requests_total counter')
}

test('Express serves the page as the README says', async () => {
  const app = express()
  apply('Express', app)
  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  open.push(() => server.close())
  await expectPage(await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`))
})

test('Fastify serves the page as the README says', async () => {
  const app = Fastify()
  open.push(() => app.close())
  apply('Fastify', app)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  await expectPage(await fetch(`${url}/metrics`))
})

test('Hono serves the page as the README says', async () => {
  const app = new Hono()
  apply('Hono', app)
  await expectPage(await app.request('/metrics'))
})
