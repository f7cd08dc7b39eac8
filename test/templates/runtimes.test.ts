/** The packed packages where no Node is, or none that looks for modules: under Bun and Deno, and in a bundle. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RedisServer } from '../support/src/index.ts'
import { type Registry, startRegistry } from './registry.ts'

const run = promisify(execFile)

const PROGRAM = `
import { Cache } from '@cache/core'
import { CacheManager } from '@cache/manager'
import { MemoryStore } from '@cache/memory'
import { PrometheusMetrics } from '@cache/metrics-prometheus'
import { RedisStore } from '@cache/redis'
import { TieredStore } from '@cache/tiered'

const { observer, register } = new PrometheusMetrics()
const l1 = new MemoryStore({ maxItems: 100 })
const l2 = new RedisStore({ url: process.env.REDIS_URL, prefix: 'runtime:' })
const cache = new Cache({ store: new TieredStore({ l1, l2 }), observer })
const { status } = await cache.set('greeting', { text: 'hello' })
const loaded = await cache.getOrSet('loaded', () => 'once')
const { text } = await cache.get('greeting')
l1.clear()
const far = (await cache.get('greeting')).text
const counted = (await register.metrics()).includes('cache_loads_total')
await cache.close()
const manager = new CacheManager()
await manager.set('key', 1)
const managed = await manager.get('key')
await manager.close()
console.log(JSON.stringify({ status, loaded, text, far, counted, managed }))
`
const EXPECTED = { status: 'applied', loaded: 'once', text: 'hello', far: 'hello', counted: true, managed: 1 }

let project: string
let registry: Registry
let redis: RedisServer

beforeAll(async () => {
  ;[registry, redis] = await Promise.all([startRegistry(), RedisServer.start()])
  project = await mkdtemp(join(tmpdir(), 'cache-runtimes-'))
  // Both bring their binary by an install script; recent versions of npm run none that is not allowed.
  const manifest = { private: true, type: 'module', allowScripts: { bun: true, deno: true } }
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(project, 'program.mjs'), PROGRAM)
  const packages = ['core', 'memory', 'redis', 'tiered', 'metrics-prometheus', 'manager'].map(
    name => `@cache/${name}`,
  )
  // `--prefix`, because npm takes the project from the environment when another package manager started the tests.
  const flags = ['--prefix', project, '--prefer-offline', '--no-audit', '--no-fund']
  const own = `--@cache:registry=${registry.url}`
  await run('npm', ['install', ...flags, own, ...packages, 'prom-client', 'bun@1', 'deno@2'], {
    cwd: project,
  })
}, 300_000)
afterAll(async () => {
  await redis?.stop()
  await registry?.[Symbol.asyncDispose]()
  if (project) await rm(project, { recursive: true, force: true })
})

test.each([
  ['Node', process.execPath, ['program.mjs']],
  ['Bun', 'bun', ['program.mjs']],
  ['Deno', 'deno', ['run', '--allow-all', 'program.mjs']],
])('they work under %s, and let it end', async (_, program, args) => {
  expect(await output(program, args)).toEqual(EXPECTED)
})

test('they work in one file, made by a bundler', async () => {
  await build({
    entryPoints: [join(project, 'program.mjs')],
    outfile: join(project, 'bundle.mjs'),
    absWorkingDir: project,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    // ioredis and prom-client are CommonJS: they ask for Node's modules by `require`.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
    logLevel: 'silent',
  })
  await rm(join(project, 'node_modules/@cache'), { recursive: true })
  expect(await output(process.execPath, ['bundle.mjs'])).toEqual(EXPECTED)
})

async function output(program: string, args: readonly string[]): Promise<unknown> {
  const PATH = `${join(project, 'node_modules/.bin')}:${process.env.PATH}`
  const env = { ...process.env, PATH, REDIS_URL: redis.url }
  const { stdout } = await run(program, args, { cwd: project, env, timeout: 30_000 })
  return JSON.parse(stdout)
}
