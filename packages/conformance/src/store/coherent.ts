import {
  type Coherent,
  type InvalidationBus,
  type InvalidationMessage,
  isBatching,
  type Store,
} from '@cache/core'
import { check, eventually } from '../expect.ts'
import type { Scene } from './scene.ts'
import { capabilityGroup, type Group } from './spec.ts'

type CoherentScene = Scene<Store & Coherent>

/** Announcing what was written. */
export const coherent: Group = capabilityGroup('coherent', [
  {
    rule: 'coherent',
    name: 'every write reaches the other process, in the name of the bus',
    async run(scene) {
      const { store } = scene
      const { messages } = await heardByPeer(scene)
      const announced = async (what: string, write: () => Promise<unknown>, key: string): Promise<void> => {
        messages.length = 0
        await write()
        const isTold = () => messages.some(message => names(message, key))
        await eventually(isTold, `${what} is announced to the other process, with the id of the bus`)
      }
      await announced('set', () => scene.put('k'), 'k')
      await announced('delete', async () => store.delete('k'), 'k')
      if (isBatching(store)) {
        await announced('setMany', async () => store.setMany(new Map([['m', scene.entry(1)]])), 'm')
        await announced('deleteMany', async () => store.deleteMany(['m']), 'm')
      }
      await announced('clear of a scope', async () => store.clear('s:'), 's:1')
      await announced('clear', async () => store.clear(), 'anything')
    },
  },
  {
    rule: 'coherent',
    name: 'who hears of a write can read it',
    async run(scene) {
      const { peer, messages } = await heardByPeer(scene)
      const reads: Promise<unknown>[] = []
      busOf(peer).subscribe(({ source }) => {
        if (source === busOf(scene.store).id)
          reads.push(Promise.resolve(peer.get('k')).then(found => found?.value))
      })
      for (let i = 0; i < 20; i++) await scene.put('k', i)
      await eventually(() => messages.length >= 20, 'twenty writes are announced')
      for (const [i, value] of (await Promise.all(reads)).entries())
        check((value as number) >= i, `after message ${i} the value of an earlier write is read`)
    },
  },
])

/** What is announced in the name of this store; whoever else tells of its writes (the server itself, say) is not asked for. */
async function heardByPeer(
  scene: CoherentScene,
): Promise<{ peer: Store & Coherent; messages: InvalidationMessage[] }> {
  const peer = await scene.peer()
  const messages: InvalidationMessage[] = []
  const { id } = busOf(scene.store)
  busOf(peer).subscribe(message => {
    if (message.source === id) messages.push(message)
  })
  await eventually(() => busOf(peer).connected, 'the bus of the store is connected')
  return { peer, messages }
}

function busOf({ bus }: Coherent): InvalidationBus {
  check(bus, 'the store must have a bus')
  return bus
}

function names(message: InvalidationMessage, key: string): boolean {
  if (message.type === 'keys') return message.keys.includes(key)
  return message.type === 'clear' && key.startsWith(message.scope ?? '')
}
