import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findRedisServer, OwnRedis } from '../src/demo/redis.ts'
import { provideRedis } from '../src/demo/redis-source.ts'
import { UsageError } from '../src/demo/usage-error.ts'

const binary = findRedisServer(process.env) ?? 'redis-server'
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'catalogue-redis-'))
})
afterAll(() => rm(directory, { recursive: true }))

function isUp(url: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.end())
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
}

async function script(name: string, content: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, `#!/bin/sh\n${content}\n`)
  await chmod(path, 0o755)
  return path
}

test('the server is found in REDIS_SERVER, else on the PATH, else not at all', async () => {
  const path = await script('redis-server', 'exit 3')
  expect(findRedisServer({ REDIS_SERVER: path, PATH: '/nowhere' })).toBe(path)
  expect(findRedisServer({ PATH: `/nowhere::${directory}` })).toBe(path)
  expect(findRedisServer({ PATH: '/nowhere' })).toBeUndefined()
  expect(() => findRedisServer({ REDIS_SERVER: '/nowhere/redis' })).toThrow(UsageError)
})

test('it is killed and started again on the same port, and is gone when stopped', async () => {
  const redis = await OwnRedis.start(binary)
  const { url } = redis
  expect(await isUp(url)).toBe(true)
  await redis.kill()
  expect(await isUp(url)).toBe(false)
  await redis.restart()
  expect(redis.url).toBe(url)
  expect(await isUp(url)).toBe(true)
  await redis.stop()
  expect(await isUp(url)).toBe(false)
})

test('two at a time get ports of their own', async () => {
  const first = await OwnRedis.start(binary)
  const second = await OwnRedis.start(binary)
  expect(second.url).not.toBe(first.url)
  await Promise.all([first.stop(), second.stop()])
})

test('it does not outlive a process that crashes', async () => {
  const crashing = join(directory, 'crashing.mjs')
  const module = new URL('../src/demo/redis.ts', import.meta.url)
  await writeFile(
    crashing,
    `import { OwnRedis } from ${JSON.stringify(module.href)}
     console.log((await OwnRedis.start(${JSON.stringify(binary)})).url)
     throw new Error('crash')`,
  )
  const child = spawn(process.execPath, [crashing], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [url] = await Promise.all([text(child.stdout), once(child, 'exit')])
  expect(url).toMatch(/^redis:/)
  await expect.poll(() => isUp(url.trim()), { timeout: 5_000 }).toBe(false)
})

test('REDIS_URL comes before a server of our own, which comes before none', async () => {
  const said: string[] = []
  const say = (line: string): void => void said.push(line)
  const url = 'redis://user:secret@example.test:6379'
  expect(await provideRedis({ REDIS_URL: url, REDIS_SERVER: binary }, say)).toEqual({ origin: 'url', url })
  const { origin, own } = await provideRedis({ REDIS_SERVER: binary }, say)
  expect(origin).toBe('own')
  await own?.stop()
  expect(await provideRedis({ PATH: '/nowhere' }, say)).toEqual({ origin: 'none' })
  expect(said.join('\n')).not.toContain('secret')
  expect(said.at(-1)).toContain('memory only')
})

test('a server that does not start means memory only, and says why', async () => {
  const said: string[] = []
  const broken = await script('broken', 'exit 3')
  expect(await provideRedis({ REDIS_SERVER: broken }, line => said.push(line))).toEqual({ origin: 'none' })
  expect(said.join()).toContain('ended with 3')
})
