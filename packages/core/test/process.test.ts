import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const home = fileURLToPath(new URL('../', import.meta.url))

/** Runs a program to its end; fails if it does not come to one by itself. */
async function outputOf(program: string): Promise<string> {
  const source = `import { Cache, systemClock } from '@cache/core'
    import { LeasingStore, Server } from './test/leasing-store.ts'
    import { BareStore, FullStore } from './test/stores.ts'
    const hang = () => new Promise(() => {})
    const turn = () => new Promise(setImmediate)
    ${program}`
  const args = ['--conditions=@cache/source', '--input-type=module-typescript', '--eval', source]
  const { stdout } = await run(process.execPath, args, { cwd: home, timeout: 15_000 })
  return stdout.trim()
}

/** Each leaves something that waits for an hour, and must not keep the process. */
test.each([
  [
    'what is stored',
    `const cache = new Cache({ store: new FullStore(systemClock), ttl: '1h' })
     await cache.set('k', 1)
     await cache.get('k')`,
  ],
  [
    'a hardTimeout',
    `const cache = new Cache({ store: new FullStore(systemClock), hardTimeout: '1h' })
     void cache.getOrSet('k', hang)
     await turn()`,
  ],
  [
    'a softTimeout',
    `const cache = new Cache({ store: new FullStore(systemClock), ttl: '1ms', grace: '1h', softTimeout: '1h' })
     await cache.set('k', 1)
     await new Promise(resolve => setTimeout(resolve, 50))
     void cache.getOrSet('k', hang)
     await turn()`,
  ],
  [
    'a lease that is renewed',
    `const cache = new Cache({ store: new LeasingStore(new Server(), systemClock) })
     void cache.getOrSet('k', hang)
     await turn()`,
  ],
  [
    'another process that loads',
    `const server = new Server()
     const [one, other] = [1, 2].map(() => new Cache({ store: new LeasingStore(server, systemClock), leaseWait: '1h' }))
     void one.getOrSet('k', hang)
     await turn()
     void other.getOrSet('k', hang)
     await turn()`,
  ],
])('a cache does not keep its process for %s', async (_, program) => {
  expect(await outputOf(`${program}\nconsole.log('done')`)).toBe('done')
})

test('a process that closes its cache waits for what is being loaded, as long as it is told to', async () => {
  const program = `
    const cache = new Cache({ store: new FullStore(systemClock), closeWait: '50ms' })
    void cache.getOrSet('k', hang)
    await turn()
    await cache.close()
    console.log('closed')`
  expect(await outputOf(program)).toBe('closed')
})

test('what begins where hardly anything is left of the stack leaves nothing on its way', async () => {
  const program = `
    const cache = new Cache({ store: new BareStore(systemClock) })
    for (let round = 0; round < 10; round++) {
      const calls = []
      const descend = () => {
        try {
          descend()
        } catch {}
        if (calls.length < 60) calls.push(cache.getOrSet(String(calls.length), () => 'loaded'))
      }
      try {
        descend()
      } catch {}
      await Promise.allSettled(calls)
      await cache.clear()
    }
    console.log(cache.stats().loads > 0, cache.stats().loadErrors > 0, cache.stats().inFlight)`
  expect(await outputOf(program)).toBe('true true 0')
})
