/**
 * Every package declares `sideEffects: false`, and a bundler then drops what is not used without looking at it. Here that
 * is looked at: by importing each entry in a process of its own, and by bundling without the declaration.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { build, type Plugin } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { root } from '../scripts/pack.ts'
import { bundle } from './bundle.ts'
import { entries } from './entries.ts'

const run = promisify(execFile)

describe('importing', () => {
  test.each(entries)(
    '$entry changes nothing around it, and leaves nothing running',
    async ({ file, directory }) => {
      const { metafile } = await build({
        entryPoints: [file],
        bundle: true,
        packages: 'external',
        platform: 'node',
        format: 'esm',
        metafile: true,
        write: false,
        absWorkingDir: root,
      })
      const others = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
      expect(await effects(file, others, directory)).toEqual([])
    },
  )

  test.each([
    ['globalThis.mine', 'globalThis.mine = 1'],
    ['globalThis.fetch', 'globalThis.fetch = () => {}'],
    ['Array.prototype.mine', 'Array.prototype.mine = 1'],
    // This test uses some itself.
    ['Map.prototype.get', 'Map.prototype.get = () => {}'],
    ['Error.stackTraceLimit', 'Error.stackTraceLimit = 3'],
    ['process.env.MINE', 'process.env.MINE = "1"'],
    ['process.emitWarning', 'process.emitWarning = () => {}'],
    ['process.on(exit)', 'process.on("exit", () => {})'],
    ['Timeout', 'setTimeout(() => {}, 1e6)'],
    ['Timeout', 'setInterval(() => {}, 1e6).unref()'],
    ['TCPSERVERWRAP', 'import { createServer } from "node:net"; createServer().listen(0).unref()'],
    ['WORKER', 'import { Worker } from "node:worker_threads"; new Worker("", { eval: true }).unref()'],
  ])('would be seen to change %s: %s', async (effect, code) => {
    const others = ['node:net', 'node:worker_threads']
    expect(await effects(`data:text/javascript,${encodeURIComponent(code)}`, others, root)).toContain(effect)
  })
})

/** Bytes, minified, that stay of an entry of which nothing is used: constants that a bundler does not see through. */
const LEFT_AT_MOST: Readonly<Record<string, number>> = {
  '@cache/core': 250,
  '@cache/keyv': 0,
  '@cache/manager': 400,
  // The scripts that run in Redis.
  '@cache/redis': 15_000,
}

describe('bundling without knowing the declaration', () => {
  test.each(Object.entries(LEFT_AT_MOST))('leaves next to nothing of an unused %s', async (name, most) => {
    const { length } = await bundled(`import ${fileOf(name)}`)
    expect(length).toBeLessThanOrEqual(most)
  })

  test('the error class of core brings nothing else along', async () => {
    const code = await bundled(`export { CacheError } from ${fileOf('@cache/core')}`)
    expect(code.length).toBeLessThanOrEqual(400)
  })
})

function fileOf(name: string): string {
  return JSON.stringify(entries.find(({ entry }) => entry === name)?.file)
}

/** Finds that every module has effects, whatever its package says; those of other packages are theirs. */
const ignoringDeclarations: Plugin = {
  name: 'ignoring-declarations',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path }) => ({ path, external: true, sideEffects: false }))
    onResolve({ filter: /^[./]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === ignoringDeclarations) return undefined
      const options = { importer, resolveDir, kind, pluginData: ignoringDeclarations }
      return { path: (await resolve(path, options)).path, sideEffects: true }
    })
  },
}

function bundled(contents: string): Promise<string> {
  return bundle(contents, { plugins: [ignoringDeclarations] })
}

/** @param others what it imports: what those do is theirs, and done before */
async function effects(module: string, others: readonly string[], cwd: string): Promise<unknown> {
  const program = `
    import { effectsOf } from ${JSON.stringify(import.meta.resolve('./import-effects.ts'))}
    ${others.map(other => `import ${JSON.stringify(other)}`).join('\n')}
    console.log(JSON.stringify(await effectsOf(() => import(${JSON.stringify(module)}))))
    process.exit()`
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd })
  return stderr || JSON.parse(stdout)
}
