import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('calls about a key start in the order they were made, however long each takes to prepare', async () => {
  const turns = new Turns()
  const started: string[] = []
  const [slow, quick] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
  const start = async (name: string): Promise<void> => void started.push(name)
  const calls = [turns.take(['a', 'b'], slow.promise, start), turns.take(['b', 'c'], quick.promise, start)]
  quick.resolve('second')
  await new Promise(setImmediate)
  expect(started).toEqual([])
  expect([turns.areFree(['c']), turns.areFree(['d'])]).toEqual([false, true])
  slow.resolve('first')
  await Promise.all(calls)
  expect(started).toEqual(['first', 'second'])
  expect(turns.areFree(['a', 'b', 'c'])).toBe(true)
})

test('one that cannot be prepared holds nobody up', async () => {
  const turns = new Turns()
  const failing = turns.take(['a'], Promise.reject(new Error('no')), async () => 'never')
  const next = turns.take(['a'], Promise.resolve(1), async ready => ready)
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe(1)
  expect(turns.areFree(['a'])).toBe(true)
})

test('the next starts once the one before has started, not once it has ended', async () => {
  const turns = new Turns()
  const endless = turns.take(['a'], Promise.resolve(), () => new Promise(() => {}))
  expect(await turns.take(['a'], Promise.resolve(), async () => 'started')).toBe('started')
  void endless
})

test('one that cannot be prepared lets nobody overtake those ahead of it', async () => {
  const turns = new Turns()
  const started: string[] = []
  const slow = Promise.withResolvers<string>()
  const start = async (name: string): Promise<void> => void started.push(name)
  const first = turns.take(['a'], slow.promise, start)
  const failing = turns.take(['a'], Promise.reject(new Error('no')), start)
  const last = turns.take(['a'], Promise.resolve('last'), start)
  failing.catch(() => {})
  await new Promise(setImmediate)
  expect(started).toEqual([])
  expect(turns.areFree(['a'])).toBe(false)
  slow.resolve('first')
  await Promise.all([first, last])
  expect(started).toEqual(['first', 'last'])
})

test('one that is sent bit by bit keeps its turn until all is sent, or it has ended', async () => {
  for (const end of ['sent', 'answered', 'refused'] as const) {
    const turns = new Turns()
    const [sent, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
    const batch = turns.take(['a', 'b'], Promise.resolve(), (_, until) => {
      until(sent.promise)
      return answer.promise
    })
    batch.catch(() => {})
    const started: string[] = []
    const next = turns.take(['b'], Promise.resolve('next'), async name => void started.push(name))
    await new Promise(setImmediate)
    expect(started).toEqual([])
    if (end === 'sent') sent.resolve()
    else if (end === 'answered') answer.resolve('done')
    else answer.reject(new Error('no'))
    await next
    expect(started).toEqual(['next'])
    if (end === 'sent') answer.resolve('done')
    await batch.catch(error => expect(error.message).toBe('no'))
  }
})

test('one that cannot even be started holds nobody up', async () => {
  const turns = new Turns()
  const failing = turns.take(['a'], Promise.resolve(), (_, until): Promise<never> => {
    until(new Promise(() => {}))
    throw new Error('late')
  })
  await expect(failing).rejects.toThrow('late')
  expect(turns.areFree(['a'])).toBe(true)
})
