import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SERVER = fileURLToPath(new URL('../src/server.ts', import.meta.url))

function start(env: NodeJS.ProcessEnv) {
  const { REDIS_URL: _, ...inherited } = process.env
  return spawn(process.execPath, ['--conditions=@cache/source', SERVER], {
    env: { ...inherited, PORT: '0', METRICS_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

test('serves products and metrics, without Redis being there, and ends with 0 on SIGTERM', async () => {
  const child = start({ REDIS_URL: 'redis://127.0.0.1:1' })
  const [line] = await once(child.stdout, 'data')
  const [, product = '', metrics = ''] = /(http\S+), metrics on (http\S+)/.exec(`${line}`) ?? []
  expect(await (await fetch(product)).json()).toMatchObject({ id: 1 })
  expect(await (await fetch(metrics)).text()).toContain('cache="products"')
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
})

test('a variable that is not accepted ends it with its name', async () => {
  const child = start({ CACHE_POLICY: 'clock' })
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect(stderr).toContain('policy')
  expect(code).toBe(1)
})
