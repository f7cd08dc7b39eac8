/** A process that invalidates while Redis is away, and is killed: argv holds the URL, the prefix and the journal's file. */
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { TieredStore } from '../src/index.ts'

const [url = '', prefix = '', file = ''] = process.argv.slice(2)
const store = new TieredStore({
  l1: new MemoryStore(),
  l2: new RedisStore({ url, prefix }),
  journal: { file, fsync: 'never' },
})
const now = Date.now()
const entry = { value: 'new', createdAt: now, freshUntil: now + 60_000, expiresAt: now + 60_000 }
const outcomes = await Promise.all([
  store.delete('deleted'),
  store.set('written', entry),
  store.invalidateTags?.(['t']),
  store.clear('users:'),
])
console.log(outcomes.map(outcome => outcome?.status).join())
