import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Entry } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { ask, eventually, RedisServer } from '@cache/test-support'
import { expect, it, onTestFinished } from 'vitest'
import { TieredStore } from '../src/index.ts'

const entry = (tags?: readonly string[]): Entry => {
  const now = Date.now()
  const times = { createdAt: now, freshUntil: now + 60_000, expiresAt: now + 60_000 }
  return { value: 'old', ...times, ...(tags && { tags }) }
}

it('a process killed in an outage loses none of what it had queued, if it has a file for it', async () => {
  const server = await RedisServer.start()
  const directory = await mkdtemp(join(tmpdir(), 'cache-killed-'))
  onTestFinished(async () => {
    await server.stop()
    await rm(directory, { recursive: true })
  })
  const file = join(directory, 'journal')
  const remote = new RedisStore({ url: server.url, prefix: 'killed:' })
  const keys = ['deleted', 'written', 'tagged', 'users:1', 'untouched']
  for (const key of keys) await remote.set(key, entry(key === 'tagged' ? ['t'] : undefined))
  await remote.close()
  await ask(server, client => client.save())

  await server.kill()
  expect(await outputOfKilled([server.url, 'killed:', file])).toBe('queued,queued,queued,queued')

  // The next one reads none of it, even before it has told Redis.
  const next = new TieredStore({
    l1: new MemoryStore(),
    l2: new RedisStore({ url: server.url, prefix: 'killed:' }),
    journal: { file },
  })
  onTestFinished(() => next.close())
  expect(next.health()).toMatchObject({ journal: 4 })
  await server.restart()
  await eventually('connected', () => next.health().available)
  for (const key of keys.slice(0, -1)) expect(await next.get(key)).toBeUndefined()
  await next.whenRecovered()

  const fresh = new RedisStore({ url: server.url, prefix: 'killed:' })
  onTestFinished(() => fresh.close())
  expect([...(await fresh.getMany(keys)).found.keys()]).toEqual(['untouched'])
})

/** The first line that it prints; then it is killed. */
async function outputOfKilled(args: readonly string[]): Promise<string> {
  const script = join(import.meta.dirname, 'queueing-process.ts')
  const child = spawn(process.execPath, ['--conditions=@cache/source', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', chunk => resolve(String(chunk)))
    child.once('exit', code => reject(new Error(`ended by itself with ${code}`)))
  })
  child.kill('SIGKILL')
  return output.trim()
}
