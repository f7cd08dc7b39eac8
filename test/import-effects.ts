import { createHook } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'

/** What every import makes: promises, and the reading of files. Timers, sockets, watchers and threads are none of these. */
const OF_LOADING = /^(PROMISE|TickObject|Microtask|Immediate|FSREQ\w+|FILEHANDLE)$/

/** What an import changes around it, by name, and the kinds of the resources that it leaves: for a process of its own. */
export async function effectsOf(load: () => Promise<unknown>): Promise<readonly string[]> {
  const left = new Map<number, string>()
  const hook = createHook({
    init: (id, kind) => void (OF_LOADING.test(kind) || left.set(id, kind)),
    destroy: id => void left.delete(id),
  })
  surroundings() // Some globals build others when they are looked at for the first time.
  const before = surroundings()
  hook.enable()
  await load()
  await setImmediate()
  hook.disable()
  const after = surroundings()
  const changed = Object.keys({ ...before, ...after }).filter(name => !Object.is(before[name], after[name]))
  return [...changed, ...left.values()]
}

/** The globals and what is on them and their prototypes, the environment, and who listens to the process. */
function surroundings(): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  const note = (name: string, object: object): void => {
    for (const key of Reflect.ownKeys(object)) {
      // Getters are not called: some build what they return.
      const { value, get } = Object.getOwnPropertyDescriptor(object, key) ?? {}
      found[`${name}.${String(key)}`] = get ?? value
    }
  }
  const globals = Object.entries(Object.getOwnPropertyDescriptors(globalThis))
  for (const [name, value] of [...globals.map(([name, { value }]) => [name, value]), ['process', process]]) {
    if (Object(value) !== value) continue
    note(name, value)
    if (typeof value === 'function' && value.prototype) note(`${name}.prototype`, value.prototype)
  }
  note('process.env', process.env)
  for (const event of process.eventNames()) {
    found[`process.on(${String(event)})`] = process.listenerCount(event)
  }
  return found
}
