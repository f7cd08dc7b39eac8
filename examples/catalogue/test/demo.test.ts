import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { findRedisServer, OwnRedis } from '../src/demo/redis.ts'

const DEMO = fileURLToPath(new URL('../src/demo.ts', import.meta.url))

type Running = ChildProcessByStdio<null, Readable, Readable>

/** Starts the demo on the packages' sources, with `env` in place of the variables that name a Redis. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const { REDIS_URL: _, ...inherited } = process.env
  return spawn(process.execPath, ['--conditions=@cache/source', DEMO, ...args], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function demo(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = start(args, env)
  const ended = once(child, 'exit')
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { stdout, stderr, code }
}

/** Waits until the demo has written something that matches. */
async function written(output: Readable, pattern: RegExp): Promise<RegExpExecArray> {
  let all = ''
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    all += chunk
    const match = pattern.exec(all)
    if (match) return match
  }
  throw new Error(`Nothing matched ${pattern} in:\n${all}`)
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    response => response.ok,
    () => false,
  )
}

test.concurrent('no request fails and no read is stale while Redis is killed and started again', async () => {
  const { stdout, stderr, code } = await demo(['--json', '--duration', '4'])
  expect(stdout.trimEnd().split('\n')).toHaveLength(1)
  const summary = JSON.parse(stdout)
  expect(Object.keys(summary)).toEqual(
    ['requests', 'errors', 'hitRatio', 'l1HitRatio', 'l2HitRatio', 'originQueries'].concat([
      'p50Ms',
      'p99Ms',
      'worstMs',
      'redis',
      'outages',
    ]),
  )
  expect(summary).toMatchObject({ errors: 0, redis: 'own', outages: 1 })
  expect(summary.requests).toBeGreaterThan(100)
  expect(summary.l1HitRatio).toBeGreaterThan(0)
  expect(summary.l1HitRatio + summary.l2HitRatio).toBeCloseTo(summary.hitRatio, 3)
  expect(summary.originQueries).toBeGreaterThan(0)
  expect(stderr).toMatch(/killed.*started again/s)
  expect(stderr).toContain('stale reads: none')
  expect(stderr).toContain('/metrics')
  expect(code, stderr).toBe(0)
})

test.concurrent('without a redis-server it plays on memory alone, and says so', async () => {
  const { stdout, stderr, code } = await demo(['--json', '--duration', '1'], { PATH: '', REDIS_SERVER: '' })
  expect(JSON.parse(stdout)).toMatchObject({ errors: 0, l2HitRatio: 0, redis: 'none', outages: 0 })
  expect(stderr).toContain('memory only')
  expect(code).toBe(0)
})

test.concurrent('the Redis of REDIS_URL is used, not killed, and left without our keys', async () => {
  await using resources = new AsyncDisposableStack()
  const redis = await OwnRedis.start(findRedisServer(process.env) ?? 'redis-server')
  resources.defer(() => redis.stop())
  const client = new Redis(redis.url)
  resources.defer(() => client.disconnect())
  await client.set('not ours', '1')
  const { stdout, stderr, code } = await demo(['--json', '--duration', '2'], { REDIS_URL: redis.url })
  expect(JSON.parse(stdout)).toMatchObject({ errors: 0, redis: 'url', outages: 0 })
  expect(stderr).not.toContain('killed (SIGKILL)')
  const [, sets] = /cmdstat_set:calls=(\d+)/.exec(await client.info('commandstats')) ?? []
  expect(Number(sets)).toBeGreaterThan(1)
  expect(await client.keys('*')).toEqual(['not ours'])
  expect(code).toBe(0)
})

// Not beside the others: one of them may have the port, and give it back at the wrong moment.
test('a taken metrics port means the next free one, and it says so', async () => {
  await using resources = new AsyncDisposableStack()
  const squatter = createServer()
  resources.defer(() => void squatter.close())
  await new Promise<void>(resolve => {
    // Whoever has it already serves as well.
    squatter.once('error', () => resolve())
    squatter.listen(8_000, '127.0.0.1', resolve)
  })
  const { stderr } = await demo(['--json', '--duration', '1'], { PATH: '', REDIS_SERVER: '' })
  expect(stderr).toMatch(/metrics {2}http:\/\/127\.0\.0\.1:80\d\d\/metrics \(8000 is taken\)/)
})

test.concurrent('--keep leaves service and metrics up until it is interrupted', async () => {
  const child = start(['--keep', '--duration', '1'], { PATH: '', REDIS_SERVER: '' })
  const [, service = '', metrics = ''] = await written(child.stdout, /(http:\S+) and (http:\S+) stay up/)
  expect(await answers(`${service}/products/1`)).toBe(true)
  const page = await (await fetch(metrics)).text()
  expect(page).toContain('products')
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
  expect(await answers(`${service}/products/1`)).toBe(false)
})

test.concurrent('interrupted, it takes its Redis along', async () => {
  const child = start(['--json'])
  const [, url = ''] = await written(child.stderr, /at (redis:\S+);.*req\/s/s)
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  expect(code).toBe(130)
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  await expect(client.connect()).rejects.toThrow()
})

test.concurrent.each([
  [['--bogus'], {}, /--bogus/],
  [['--policy', 'clock'], {}, /--policy must be one of/],
  [['--trace', '/nowhere/keys.txt'], {}, /cannot read \/nowhere\/keys\.txt/],
  [['--duration', '2'], { REDIS_URL: 'nonsense' }, /url/i],
])('%j with %j is refused with a message and exit code 2', async (args, env, message) => {
  const { stdout, stderr, code } = await demo(args, env)
  expect(stderr).toMatch(message)
  expect(stdout).not.toContain('{')
  expect(code).toBe(2)
})

test.concurrent('--help goes to stdout', async () => {
  const { stdout, code } = await demo(['--help'])
  expect(stdout).toMatch(/^Usage: demo/)
  expect(code).toBe(0)
})
