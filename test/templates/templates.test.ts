/**
 * Every template as its users get it: copied out of the repository, installed by npm and by pnpm from packed packages,
 * tested, compiled and built by its own scripts, started as its Dockerfile does, asked over HTTP, and told to end.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../scripts/pack.ts'
import { RedisServer } from '../support/src/index.ts'
import { InstalledTemplate, MANAGERS } from './installed-template.ts'
import { PROBES } from './probes.ts'
import { type Registry, startRegistry } from './registry.ts'

const templates = readdirSync(join(root, 'examples'))

let registry: Registry
beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(() => registry?.[Symbol.asyncDispose]())

describe.each(templates)('%s', name => {
  test.each(MANAGERS)('works when it is installed by %s', async manager => {
    const { path, probe } = PROBES[name] ?? {}
    if (!path || !probe) throw new Error(`test/templates/probes.ts must say what to ask ${name}`)
    await using template = await InstalledTemplate.install(name, manager, registry.url)
    await using resources = new AsyncDisposableStack()
    const redis = await RedisServer.start()
    resources.defer(() => redis.stop())
    const env = { REDIS_URL: redis.url }
    const { scripts } = await template.manifest()
    for (const script of ['typecheck', 'build', 'test'])
      if (scripts[script]) await template.script(script, env)

    const service = await template.start(path, env)
    await probe(service.url, { another: () => template.start(path, env) })
    expect(await service.stop()).toBe(0)
  })
})
