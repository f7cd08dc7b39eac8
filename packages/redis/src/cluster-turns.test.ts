import { expect, test, vi } from 'vitest'
import { ClusterTurns } from './cluster-turns.ts'
import type { RedisLike } from './redis-like.ts'

const client = {} as RedisLike

test('a write waits until the one of its key before it was answered, and no other does', async () => {
  const turns = new ClusterTurns()
  const sent: string[] = []
  const write = (name: string, keys: string[]) =>
    turns.take(keys, 1_000, async () => {
      sent.push(name)
    })
  const [first, second, other, both] = [
    write('first', ['k']),
    write('second', ['k']),
    write('other', ['l']),
    write('both', ['k', 'l']),
  ]
  const running = [first, second, other, both].map(each => each.command(client))
  await new Promise(resolve => setImmediate(resolve))
  expect(sent).toEqual(['first', 'other'])
  other.settled()
  first.settled()
  await running[1]
  expect(sent).toEqual(['first', 'other', 'second'])
  second.settled()
  await running[3]
  expect(sent.at(-1)).toBe('both')
  expect(turns.isFree('k')).toBe(false)
  both.settled()
  expect(turns.isFree('k')).toBe(true)
  expect(turns.isFree('l')).toBe(true)
})

test('a write whose turn comes after its deadline is not sent, and lets the next one by', async () => {
  const turns = new ClusterTurns()
  const send = vi.fn(async () => 'sent')
  const first = turns.take(['k'], 1_000, send)
  const late = turns.take(['k'], 5, send)
  const refused = late.command(client)
  await new Promise(resolve => setTimeout(resolve, 20))
  first.settled()
  await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(send).not.toHaveBeenCalled()
  late.settled()
  expect(await turns.take(['k'], 1_000, send).command(client)).toBe('sent')
})
