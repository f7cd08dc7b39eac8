import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { zstdCompressSync } from 'node:zlib'
import { eventually, RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { UsageError } from '../lib/command.ts'
import { describeMachine } from '../lib/machine.ts'
import { seededRandom } from '../lib/random.ts'
import { parseArguments } from '../redis/arguments.ts'
import { CONTESTANTS } from '../redis/contestants.ts'
import { GOALS, reached } from '../redis/goals.ts'
import { makeItem, makeText } from '../redis/payload.ts'
import { raw } from '../redis/raw.ts'
import { textReport } from '../redis/report.ts'
import { ShapedLink } from '../redis/shaped-link.ts'
import { CACHE_WORKLOADS, type Contestant, type Subject, WORKLOADS } from '../redis/subject.ts'
import { BATCH, measure } from '../redis/workloads.ts'
import { temporaryDirectory } from './files.ts'

const directory = temporaryDirectory()
const names = CONTESTANTS.map(({ name }) => name)
const main = fileURLToPath(new URL('../redis/main.ts', import.meta.url))

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

describe('the command', () => {
  test('in the end every figure is there, in tables and in the file', { timeout: 120_000 }, async () => {
    const json = join(directory.path, 'samples.json')
    const { stdout, stderr } = await run('--quick', '--only', '@cache/redis', '--json', json)
    expect(stderr).not.toContain('failed')
    expect(stdout).toMatch(/redis-server \d+\.\d+/)
    expect(stdout).toContain('1,000 bytes of JSON, below our threshold of compression')
    expect(stdout).toContain('1,100 bytes of JSON, above our threshold of compression')
    expect(stdout).toMatch(/\n@cache\/redis( +\S+ \(.+?\) [\d,]+ µs, \d+ cmd){3}\n/)
    for (const line of [/get, to ioredis .*(met|missed)/, /p99 of small reads .*(met|missed)/])
      expect(stdout).toMatch(line)
    const { machine, series } = JSON.parse(readFileSync(json, 'utf8'))
    expect(machine.node).toBe(process.version)
    // ioredis: four workloads at two sizes and the link; the store: one workload less.
    expect(series).toHaveLength(9 + 7)
    for (const { rounds } of series)
      expect(rounds).toEqual([expect.objectContaining({ figure: expect.any(Number) })])
  })

  test.each([
    ['an unknown option', ['--fast'], '--fast'],
    ['a file that cannot be written', ['--json', join(directory.path, 'no', 'such.json')], 'cannot write'],
  ])('%s ends it with exit code 2 before anything is measured', async (_, args, message) => {
    await expect(run(...args)).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    })
  })

  test('--help names every contestant', async () => {
    const { stdout } = await run('--help')
    for (const name of names) expect(stdout).toContain(name)
  })
})

describe('contestants', () => {
  test.each(CONTESTANTS)('$name keeps what it is given where the others look for it', async contestant => {
    const subject = await open(contestant)
    const items = new Map(['item:a', 'item:b'].map(id => [id, makeItem(id, 1_100)]))
    await subject.setMany(items)
    expect(await subject.get('item:a')).toEqual(items.get('item:a'))
    expect(new Set(await subject.getMany(['item:a', 'item:b']))).toEqual(new Set(items.values()))
    await subject.set('item:c', makeItem('item:c', 300))
    expect(await subject.get('item:c')).toEqual(makeItem('item:c', 300))
  })

  test.each(CONTESTANTS.filter(one => one.workloads.includes('miss')))(
    '$name loads a key once',
    async contestant => {
      const { getOrSet } = await open(contestant)
      const item = makeItem(`item:missed by ${contestant.name}`, 300)
      let loads = 0
      const load = async () => {
        loads++
        return item
      }
      for (let i = 0; i < 2; i++) expect(await getOrSet?.(item.id, load)).toEqual(item)
      expect(loads).toBe(1)
    },
  )

  test('every peer takes part in everything that has to do with caching', () => {
    for (const name of ['bentocache', 'cacheable', 'cache-manager', 'layered-loader'])
      expect(CONTESTANTS.find(one => one.name === name)?.workloads).toEqual(CACHE_WORKLOADS)
    expect(new Set(names).size).toBe(names.length)
  })

  test('every package has a version to print', () => {
    const { packages } = describeMachine(CONTESTANTS.flatMap(one => one.packages))
    for (const version of Object.values(packages)) expect(version).toMatch(/^\d+\.\d+\.\d+/)
  })
})

describe('measuring', () => {
  const task = { workload: 'get', bytes: 300, budgetMs: 1 } as const
  const items = new Map(Array.from({ length: 2_000 }, (_, i) => [`item:${i}`, makeItem(`item:${i}`, 300)]))

  /** What answers rightly from memory, and can be made to err. */
  const remembering = (changes: Partial<Subject> = {}) => {
    const subject: Subject = {
      get: async key => items.get(key),
      getMany: async keys => keys.map(key => items.get(key)),
      set: async () => {},
      setMany: async () => {},
      getOrSet: (_, load) => load(),
      close: () => {},
      ...changes,
    }
    return async () => subject
  }

  test('counts the commands of an operation', async () => {
    for (const [workload, commands] of [
      ['get', 1],
      ['getMany', 1],
      ['setMany', BATCH],
      ['miss', 2],
    ] as const) {
      const measured = await measure(raw.open, server.url, { ...task, workload })
      expect(measured).toEqual({ figure: expect.any(Number), commands })
    }
  })

  test.each(CACHE_WORKLOADS.filter(workload => workload !== 'link'))(
    'who never asks Redis is not measured as a fast one: %s',
    async workload => {
      const measured = measure(remembering(), server.url, { ...task, workload })
      await expect(measured).rejects.toThrow(/did not ask Redis|is not in Redis/)
    },
  )

  test.each([
    ['get', { get: async () => ({ id: 'item:0' }) }],
    ['getMany', { getMany: async () => [...items.values()].slice(1, BATCH) }],
    ['setMany', { getMany: async () => [] }],
    ['miss', { getOrSet: async () => undefined }],
  ] as const)('who answers wrong is not measured at all: %s', async (workload, wrong) => {
    const measured = measure(remembering(wrong), server.url, { ...task, workload })
    await expect(measured).rejects.toThrow(/strictly/)
  })
})

test('values are as long as said, the same at every call, and shrink neither too well nor not at all', () => {
  for (const bytes of [1_000, 1_100]) {
    const json = JSON.stringify(makeItem('item:7', bytes))
    expect(Buffer.byteLength(json)).toBe(bytes)
    expect(JSON.stringify(makeItem('item:7', bytes))).toBe(json)
    expect(JSON.stringify(makeItem('item:8', bytes))).not.toBe(json)
    const shrunk = zstdCompressSync(json).length / bytes
    expect(shrunk).toBeGreaterThan(0.4)
    expect(shrunk).toBeLessThan(0.8)
  }
  const text = makeText(100_000, seededRandom(1))
  expect(JSON.stringify(text)).toHaveLength(100_002)
})

test('a link carries no more than its bandwidth, and everything unharmed', async () => {
  const text = makeText(1_000_000, seededRandom(2))
  const link = await ShapedLink.start(server.port, { bytesPerSecond: 10_000_000, latencyMs: 1 })
  const subject = await open(raw, link.url)
  await subject.set('large', text)
  const begin = performance.now()
  expect(await subject.get('large')).toBe(text)
  expect(performance.now() - begin).toBeGreaterThan(90)
  await subject.close()
  await link.stop()
})

test('on a link, a reply waits for its own connection alone', async () => {
  await (await open(raw)).set('text', makeText(1_000_000, seededRandom(3)))
  const link = await ShapedLink.start(server.port, { bytesPerSecond: 1_000_000, latencyMs: 1 })
  const [busy, idle] = [await knock(link.url), await knock(link.url)]
  let arrived = 0
  busy.on('data', data => {
    arrived += data.length
  })
  busy.write('GET text\r\n')
  await eventually('a backlog', () => arrived > 0)
  const before = arrived
  idle.write('PING\r\n')
  await once(idle, 'data')
  expect(arrived - before).toBeLessThan(200_000)
  await link.stop()
})

describe('goals', () => {
  const one = (
    contestant: string,
    workload: (typeof WORKLOADS)[number],
    figures: number[],
    alone?: number,
  ) => ({
    bytes: 1_000,
    workload,
    contestant,
    rounds: figures.map(figure => ({ figure, ...(alone !== undefined && { alone }) })),
  })
  const states = (...series: ReturnType<typeof one>[]) =>
    reached(series).map(({ goal, ratio, met }) => [goal.what, ratio.median, met])

  test('each round is compared with the reference of that round', () => {
    expect(states(one('ioredis', 'get', [100, 200, 10]), one('@cache/redis', 'get', [110, 220, 11]))).toEqual(
      [['get, to ioredis', 1.1, true]],
    )
    expect(states(one('ioredis', 'get', [100]), one('@cache/redis', 'get', [120]))).toEqual([
      ['get, to ioredis', 1.2, false],
    ])
  })

  test('throughput is better the higher it is', () => {
    expect(states(one('ioredis', 'setMany', [100]), one('@cache/redis', 'setMany', [125]))).toEqual([
      ['setMany of 100, to ioredis', 0.8, false],
    ])
    expect(states(one('ioredis', 'getMany', [100]), one('@cache/redis', 'getMany', [80]))).toEqual([
      ['getMany of 100, to ioredis', 1.25, true],
    ])
  })

  test('the peer to beat is the hardest to beat over all rounds, not the luckiest of each', () => {
    const peers = [one('bentocache', 'miss', [90, 200, 200]), one('cacheable', 'miss', [100, 100, 100])]
    expect(states(one('@cache/core+tiered', 'miss', [110, 110, 110]), ...peers)).toEqual([
      ['miss, to the fastest peer', 1.1, false],
    ])
    expect(states(one('@cache/core+tiered', 'miss', [95, 95, 95]), ...peers)).toEqual([
      ['miss, to the fastest peer', 0.95, true],
    ])
  })

  test('small reads are compared with themselves, without large values', () => {
    expect(states(one('ioredis', 'link', [50], 1), one('@cache/redis', 'link', [3], 2))).toEqual([
      ['p99 of small reads beside 5 MB, to p99 without', 1.5, true],
    ])
  })

  test('a round that failed counts for nothing, and is no blank', () => {
    const failed = { ...one('@cache/redis', 'get', []), rounds: [{ error: 'Error: wrong' }] }
    expect(states(one('ioredis', 'get', [100]))).toEqual([])
    const machine = describeMachine([])
    expect(textReport([one('ioredis', 'get', [100]), failed], machine)).toMatch(/@cache\/redis +failed/)
  })

  test('every one is about somebody who takes part', () => {
    for (const { contestant, workload } of GOALS)
      expect(CONTESTANTS.find(({ name }) => name === contestant)?.workloads).toContain(workload)
  })
})

describe('arguments', () => {
  const parse = (...argv: string[]) => parseArguments(argv, ['ioredis', 'a', '@b/x', '@b/y'])

  test('names after --only choose contestants, and the reference is always there', () => {
    expect(parse('--only', 'a').contestants).toEqual(['ioredis', 'a'])
    expect(parse('--only', '@b/*', 'a').contestants).toEqual(['ioredis', 'a', '@b/x', '@b/y'])
    expect(parse().contestants).toEqual(['ioredis', 'a', '@b/x', '@b/y'])
  })

  test('--quick is small, and what is said besides counts', () => {
    expect(parse('--quick')).toMatchObject({ runs: 1, workloads: WORKLOADS })
    expect(parse('--', '--quick', '--runs', '3')).toMatchObject({ runs: 3 })
    expect(parse('--workloads', 'miss,get')).toMatchObject({ runs: 5, workloads: ['get', 'miss'] })
    expect(parse('--quick').budgetMs).toBeLessThan(parse().budgetMs)
  })

  test.each([
    [['--runs', '-1'], /--runs/],
    [['--only', 'c'], /--only knows no "c"; contestants are ioredis, a/],
    [['--workloads', 'put'], /--workloads must be of get, .*; received "put"/],
    [['--workloads', ','], /--workloads must be of get/],
    [['a'], /unexpected argument "a"/],
    [['--json', ''], /--json must name a file/],
    [['--fast'], /--fast/],
  ])('%j is refused in words', (argv, message) => {
    expect(() => parse(...argv)).toThrow(UsageError)
    expect(() => parse(...argv)).toThrow(message)
  })
})

/** Runs it as its users do, on the packages' sources; rejects if it ends with another exit code than 0. */
function run(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, ['--conditions=@cache/source', main, ...args])
}

/** Ready, and closed when the test is over. */
async function open(contestant: Contestant, url = server.url): Promise<Subject> {
  const subject = await contestant.open(url)
  onTestFinished(() => {
    subject.close()
  })
  return subject
}

async function knock(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}
