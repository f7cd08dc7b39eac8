import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

/** Runs a program to its end; fails if it does not come to one by itself, or ends with an error. */
async function outputOf(program: string): Promise<string> {
  const entry = new URL('../src/index.ts', import.meta.url)
  const source = `import { serveMetrics } from ${JSON.stringify(entry.href)}\n${program}`
  const args = ['--conditions=@cache/source', '--input-type=module', '--eval', source]
  const { stdout } = await run(process.execPath, args, { timeout: 15_000 })
  return stdout.trim()
}

test('a metrics page keeps no process alive', async () => {
  const program = `
    const { url } = await serveMetrics({ port: 0 })
    console.log((await fetch(url)).status)`
  expect(await outputOf(program)).toBe('200')
})

test('close can be awaited as the last thing a process does, with a connection still open', async () => {
  const program = `
    import { connect } from 'node:net'
    const endpoint = await serveMetrics({ port: 0 })
    const socket = connect(endpoint.port, 'localhost').unref()
    await new Promise(resolve => socket.ref().once('connect', resolve))
    socket.unref()
    await endpoint.close()
    console.log('closed')`
  expect(await outputOf(program)).toBe('closed')
})
