import { expect, test } from 'vitest'
import { outage } from '../src/demo/outage.ts'

function mortal(events: string[], failure?: Error) {
  return {
    kill: async () => void events.push('kill'),
    restart: async () => {
      events.push('restart')
      if (failure) throw failure
    },
  }
}

test('the server is killed, then started again, and both are said', async () => {
  const events: string[] = []
  await outage(mortal(events), 0.02, text => events.push(text), new AbortController().signal)
  expect(events).toEqual([
    'kill',
    '>>> redis-server killed (SIGKILL)',
    'restart',
    expect.stringContaining('again, empty'),
  ])
})

test('a server that does not come back is said, and ends nothing', async () => {
  const said: string[] = []
  await outage(mortal([], new Error('no room')), 0.02, text => said.push(text), new AbortController().signal)
  expect(said.at(-1)).toContain('no room')
})

test('aborted, nothing is killed', async () => {
  const events: string[] = []
  await expect(outage(mortal(events), 60, () => {}, AbortSignal.abort())).rejects.toThrow(/abort/)
  expect(events).toEqual([])
})
