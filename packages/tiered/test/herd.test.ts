import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { RedisServer } from '@cache/test-support'
import { expect, it, onTestFinished } from 'vitest'

it('of a thousand who miss a key at once in four processes, one loads it', async () => {
  const server = await RedisServer.start()
  const script = join(import.meta.dirname, 'herd-process.ts')
  const processes = Array.from({ length: 4 }, () =>
    fork(script, [server.url], { execArgv: ['--conditions=@cache/source'] }),
  )
  onTestFinished(async () => {
    for (const each of processes) each.kill('SIGKILL')
    await server.stop()
  })
  await Promise.all(processes.map(nextMessage))
  for (const key of ['a', 'b', 'c']) {
    const answers = processes.map(nextMessage)
    for (const each of processes) each.send(key)
    const all = (await Promise.all(answers)) as { loads: number; values: string[] }[]
    expect(all.reduce((sum, { loads }) => sum + loads, 0)).toBe(1)
    for (const { values } of all) expect(values).toEqual([key])
  }
})

function nextMessage(process: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    process.once('message', resolve)
    process.once('exit', code => reject(new Error(`ended by itself with ${code}`)))
  })
}
