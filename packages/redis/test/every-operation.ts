import { type InvalidationMessage, isVacant, type Lease } from '@cache/core'
import { eventually } from '@cache/test-support'
import { expect } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import { collect, entry } from './support.ts'

export const APPLIED = { status: 'applied' }

/** Every public operation once, each with what it must answer where all is well. */
export async function everythingWorks(store: RedisStore): Promise<void> {
  const heard: InvalidationMessage[] = []
  store.bus.subscribe(message => heard.push(message))
  await eventually('listening', () => store.bus.connected)
  expect(await store.set('a', entry('first'))).toEqual(APPLIED)
  expect(
    await store.setMany(
      new Map([
        ['b', entry(1)],
        ['c', entry(2)],
      ]),
    ),
  ).toEqual(APPLIED)
  expect((await store.get('a'))?.value).toBe('first')
  expect((await store.getMany(['a', 'b', 'nothing'])).found.size).toBe(2)
  await leasesAndTagsWork(store)
  expect(await store.touch('a', Date.now() + 99_000, Date.now() + 99_000)).toEqual(APPLIED)
  expect((await collect(store.keys())).sort()).toEqual(['a', 'b', 'c'])
  expect(await store.delete('a')).toEqual(APPLIED)
  expect(await store.deleteMany(['b'])).toEqual(APPLIED)
  expect(await store.bus.publish({ type: 'keys', keys: ['told'] })).toEqual(APPLIED)
  await eventually('heard', () => heard.some(each => each.type === 'keys' && each.keys.includes('told')))
  expect(await store.clear()).toEqual(APPLIED)
  expect(await store.get('c')).toBeUndefined()
  await eventually('swept', async () => (await collect(store.keys())).length === 0)
  await store.purge()
  expect(store.health().available).toBe(true)
}

async function leasesAndTagsWork(store: RedisStore): Promise<void> {
  const lease = await leaseOf(store, 'loaded')
  expect(await store.renew('loaded', lease, 10_000)).toBe(true)
  expect(await store.fill('loaded', { ...entry('loaded'), tags: ['tag'] }, lease)).toEqual(APPLIED)
  expect((await store.get('loaded'))?.value).toBe('loaded')
  expect(await store.set('longer', { ...entry(1, 90_000), tags: ['tag'] })).toEqual(APPLIED)
  expect(await store.invalidateTags(['tag'])).toEqual(APPLIED)
  expect(await store.get('longer')).toBeUndefined()
  // What is outdated lies there until somebody loads it anew.
  await store.release('loaded', await leaseOf(store, 'loaded'))
  expect(await store.deleteMany(['loaded', 'longer'])).toEqual(APPLIED)
}

async function leaseOf(store: RedisStore, key: string): Promise<Lease> {
  const read = await store.getOrLease(key, 5_000)
  if (!isVacant(read) || !read.lease) throw new Error(`no lease of ${key}`)
  return read.lease
}
