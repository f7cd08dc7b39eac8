import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CacheError, Gap, WriteOutcome } from '@cache/core'
import { certificates, eventually, freePort, type RedisServer } from '@cache/test-support'
import type { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type BusMode, RedisBus, type RedisStore, type RedisStoreOptions } from '../src/index.ts'
import { APPLIED, everythingWorks } from './every-operation.ts'
import {
  codeOf,
  collect,
  connected,
  durationOf,
  entry,
  eventsOf,
  openClient,
  openStore,
  ownServer,
  patientStore,
  pooled,
} from './support.ts'

describe('over TLS', () => {
  /** @returns the port that speaks TLS; another one of the same server does not */
  async function tlsServer(args: readonly string[] = []): Promise<{ server: RedisServer; port: number }> {
    const port = await freePort()
    const server = await ownServer(['--tls-port', `${port}`, ...certificates.serverArgs, ...args])
    return { server, port }
  }

  const trusting = (port: number): RedisStoreOptions => ({
    connection: { host: '127.0.0.1', port, tls: { ca: certificates.authority } },
  })

  test('with the authority of its certificate, everything works', async () => {
    const { port } = await tlsServer(['--requirepass', 'pw'])
    const { connection } = trusting(port)
    await everythingWorks(patientStore({ connection: { ...connection, password: 'pw' } }))
  })

  test('by a rediss:// URL, everything works if Node trusts the authority', async () => {
    const { server, port } = await tlsServer()
    const trusted = join(server.directory, 'authority.crt')
    await writeFile(trusted, certificates.authority)
    const module = new URL('../src/index.ts', import.meta.url).href
    const child = spawn(
      process.execPath,
      [
        ...['--no-warnings', '-C', '@cache/source', '--input-type=module', '-e'],
        `import { RedisStore } from '${module}'
        const store = new RedisStore({ url: 'rediss://localhost:${port}', timeouts: { read: '10s' } })
        console.log(await store.get('k'), store.health().available)
        await store.close()`,
      ],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: trusted }, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    expect((await collect(child.stdout)).join('')).toBe('undefined true\n')
  })

  test.each([
    ['an authority that did not sign it', (port: number) => ({ port, tls: { ca: certificates.stranger } })],
    ['the authorities of the machine alone', (port: number) => ({ port, tls: {} })],
    [
      'another name than it is for',
      (port: number) => ({ port, tls: { ca: certificates.authority, servername: 'elsewhere.example' } }),
    ],
  ])('its certificate is refused with %s, at once and in those words', async (_with, to) => {
    const { port } = await tlsServer()
    const store = patientStore({ connection: { host: '127.0.0.1', ...to(port) } })
    const events = eventsOf(store)
    const ms = await durationOf(async () => expect(await codeOf(store.get('k'))).toBe('CONFIGURATION'))
    expect(ms).toBeLessThan(5_000) // its deadline is 10 s
    expect(await store.set('k', entry(1))).toMatchObject({
      status: 'failed',
      error: { code: 'CONFIGURATION' },
    })
    expect(events).toContainEqual(
      expect.objectContaining({
        operation: 'connect',
        error: expect.objectContaining({ message: 'the TLS connection to Redis cannot be made' }),
      }),
    )
  })

  test('a server that wants a certificate of ours and gets none fails every call within its deadline', async () => {
    const { port } = await tlsServer(['--tls-auth-clients', 'yes'])
    const store = openStore(trusting(port))
    expect(await codeOf(store.get('k'))).toMatch(/CONFIGURATION|UNAVAILABLE/)
    expect(await store.set('k', entry(1))).toMatchObject({ status: 'failed' })
  })

  test('to a port that does not speak it, or without it to one that does, calls fail within their deadline', async () => {
    const { server, port } = await tlsServer()
    for (const options of [trusting(server.port), { url: `redis://127.0.0.1:${port}` }]) {
      const store = openStore(options)
      const ms = await durationOf(async () =>
        expect(await codeOf(store.get('k'))).toMatch(/CONFIGURATION|UNAVAILABLE/),
      )
      expect(ms).toBeLessThan(1_000)
    }
  })
})

describe('as a user with few permissions', () => {
  async function documentedRules(): Promise<{ base: string[]; tracking: string[] }> {
    const text = await readFile(new URL('../../../docs/deployments.md', import.meta.url), 'utf8')
    const rulesIn = (pattern: RegExp): string[] => (pattern.exec(text)?.[1] ?? '').trim().split(/[\s\\]+/)
    return {
      base: rulesIn(/ACL SETUSER app on >password ([^`]+)```/),
      tracking: rulesIn(/`bus: 'tracking'` also needs `([^`]+)`/),
    }
  }

  async function serverFor(rules: readonly string[]) {
    const server = await ownServer()
    const admin = openClient(server.url)
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>hunter2', ...rules)
    return { admin, url: `redis://app:hunter2@127.0.0.1:${server.port}` }
  }

  /** What users asked for and were refused, the latest first. */
  async function refusedBy(admin: Redis): Promise<string[]> {
    const log = (await admin.call('ACL', 'LOG', '100')) as unknown[][]
    return log.map(line => String(line[line.indexOf('object') + 1]))
  }

  test.each(['pubsub', 'tracking'] as const)(
    'those that docs/deployments.md names suffice for everything, with a bus of mode %s',
    async mode => {
      const { base, tracking } = await documentedRules()
      const { admin, url } = await serverFor(mode === 'tracking' ? [...base, ...tracking] : base)
      const store = patientStore({ url, bus: mode })
      await everythingWorks(store)
      const { bus, gaps } = ownBus(url, mode)
      await eventually('listening', () => bus.connected)
      expect(await bus.publish({ type: 'clear' })).toEqual(APPLIED)
      await new Promise(resolve => setTimeout(resolve, 1_100)) // two real heartbeats
      expect(gaps.map(gap => gap.reason)).toEqual([
        mode === 'tracking' ? 'listening to Redis and what it tracks' : 'listening to Redis',
      ])
      // Nothing was refused on the way, but for how the client introduces itself, and what older servers do not know.
      expect((await refusedBy(admin)).filter(object => !/^(client\|setinfo|msetex)/.test(object))).toEqual([])
    },
  )

  test('none of those can be left out: something is refused then', { timeout: 60_000 }, async () => {
    // Without INFO the client says so, once a connection.
    const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined)
    onTestFinished(() => warn.mockRestore())
    const { base } = await documentedRules()
    const { admin, url } = await serverFor(base)
    const commands = base.filter(rule => rule.startsWith('+')).map(rule => rule.slice(1))
    // Redis 6.0 asks for a permission to say HELLO, later ones do not.
    for (const command of commands.filter(each => each !== 'hello')) {
      await admin.flushall()
      await admin.script('FLUSH')
      await admin.call('ACL', 'SETUSER', 'app', ...base, `-${command}`)
      await admin.call('ACL', 'LOG', 'RESET')
      const store = patientStore({ url })
      everythingWorks(store).catch(() => {})
      await eventually(`${command} is refused`, async () => {
        // Only a connection that takes the place of another asks for it.
        if (command === 'client|kill') await admin.call('CLIENT', 'KILL', 'USER', 'app')
        return (await refusedBy(admin)).includes(command)
      })
      await store.close()
    }
  })

  function ownBus(url: string, mode: BusMode) {
    const bus = new RedisBus({ url, mode, timeouts: { write: '10s' } })
    onTestFinished(() => bus.close())
    const gaps: Gap[] = []
    bus.onGap(gap => gaps.push(gap))
    return { bus, gaps }
  }

  const later = (): number => Date.now() + 99_000 // Later than an entry of these tests ends.
  const failureOf = async (write: Promise<WriteOutcome>): Promise<unknown> => (await write).error

  test.each([
    ['+get', '-get', store => store.get('k').catch(error => error)],
    ['+mget', '-mget', async store => (await store.getMany(['k'])).failures?.get('k')],
    ['+set', '-set', store => failureOf(store.set('k', entry('secret-value')))],
    ['+unlink', '-unlink', store => failureOf(store.delete('k'))],
    ['+publish', '-publish', store => failureOf(store.set('k', entry('secret-value')))],
    ['+scan', '-scan', store => collect(store.keys()).catch(error => error)],
    [
      'a command that one of its scripts runs',
      '-pexpire',
      store => failureOf(store.touch('k', later(), later())),
    ],
    ['a command that one of its scripts runs', '-time', store => failureOf(store.clear())],
    ['a command that one of its scripts runs', '-zadd', store => failureOf(store.invalidateTags(['tag']))],
    ['+evalsha', '-evalsha', store => failureOf(store.clear())],
    ['+eval', '-eval', store => failureOf(store.touch('k', later(), later()))],
    ['its keys (~)', 'resetkeys', store => store.get('k').catch(error => error)],
    ['its keys (~)', 'resetkeys', store => failureOf(store.clear())],
    ['its keys (~)', 'resetkeys', store => failureOf(store.set('k', entry('secret-value')))],
    ['its channel (&)', 'resetchannels', store => failureOf(store.set('k', entry('secret-value')))],
  ] as readonly [string, string, (store: RedisStore) => Promise<unknown>][])(
    'a lack of %s is an error of configuration that names it, and nothing else',
    async (missing, rule, call) => {
      const { base } = await documentedRules()
      const { admin, url } = await serverFor(base)
      const store = patientStore({ url })
      await connected(store)
      await store.set('k', entry(1))
      await admin.call('ACL', 'SETUSER', 'app', rule)
      if (rule === 'resetchannels' || rule === 'resetkeys') await pooled(store)
      const named = rule.replace('-', '+') // Newer servers tell which command of a script it is.
      const error = (await call(store)) as CacheError
      expect(error).toMatchObject({ code: 'CONFIGURATION' })
      const [, told] =
        /^the Redis user lacks a permission that this cache needs: (.+)$/.exec(error.message) ?? []
      expect([missing, named]).toContain(told)
      await admin.call('ACL', 'SETUSER', 'app', ...base)
      expect(await store.set('k', entry(2))).toEqual(APPLIED)
      expect((await store.get('k'))?.value).toBe(2)
    },
  )
})

describe('over a unix socket', () => {
  test('everything works', async () => {
    const server = await ownServer(['--unixsocket', 'redis.sock'])
    await everythingWorks(patientStore({ connection: { path: join(server.directory, 'redis.sock') } }))
  })

  test('that is not there, calls fail at once; when it is there, they work', async () => {
    const server = await ownServer(['--unixsocket', 'redis.sock'])
    await server.kill()
    const store = patientStore({ connection: { path: join(server.directory, 'redis.sock') } })
    expect(await codeOf(store.get('k'))).toBe('UNAVAILABLE')
    await server.restart()
    await connected(store)
    expect(await store.set('k', entry(1))).toEqual(APPLIED)
  })
})
