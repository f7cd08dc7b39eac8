import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { freePort, RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
let server: RedisServer

beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

/** Runs a program to its end; fails if it does not come to one by itself. */
async function outputOf(program: string): Promise<string> {
  const entry = new URL('../src/index.ts', import.meta.url)
  const source = `import { CacheManager } from ${JSON.stringify(entry.href)}\n${program}`
  const args = ['--conditions=@cache/source', '--input-type=module', '--eval', source]
  const { stdout } = await run(process.execPath, args, { timeout: 15_000 })
  return stdout.trim()
}

test('a process with memory only ends by itself, closed or not', async () => {
  const program = `
    const manager = new CacheManager()
    await manager.set('k', 1, 3600)
    manager.warmupCache('w', 1)
    console.log(await manager.get('k'))`
  expect(await outputOf(program)).toBe('1')
  expect(await outputOf(`${program}\nawait manager.close()`)).toBe('1')
})

test('a process with Redis ends by itself after close', async () => {
  const program = `
    const manager = new CacheManager({ redisUrl: '${server.url}' })
    await manager.set('k', 1, 3600)
    console.log(await manager.get('k'))
    await manager.close()`
  expect(await outputOf(program)).toBe('1')
})

test('a process whose Redis is away ends by itself after close', async () => {
  const program = `
    const manager = new CacheManager({ redisUrl: 'redis://127.0.0.1:${await freePort()}' })
    await manager.set('k', 1, 3600)
    console.log(await manager.get('k'), manager.getStats().redis.available)
    await manager.close()`
  expect(await outputOf(program)).toBe('1 false')
})
