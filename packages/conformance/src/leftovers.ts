import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import { eventually } from './expect.ts'

/** A timer, a socket, a process: what can keep a process alive can say whether it does. */
interface Resource {
  hasRef(): boolean
}

interface Leftover {
  readonly kind: string
  readonly resource: Resource
}

/** Tells what a certain call made from what others, the test runner for one, make at the same time. */
const maker = new AsyncLocalStorage<object>()

/** Does something, and fails if anything that it made keeps the process alive afterwards. */
export async function leavingNothing(use: () => Promise<void>): Promise<void> {
  const made = new Map<number, Leftover>()
  const hook = createHook({
    init(id, kind, _trigger, resource) {
      if (maker.getStore() === made && 'hasRef' in resource)
        made.set(id, { kind, resource: resource as Resource })
    },
    destroy: id => void made.delete(id),
  }).enable()
  const left = (): string[] =>
    [...made.values()].filter(({ resource }) => resource.hasRef()).map(({ kind }) => kind)
  try {
    await maker.run(made, use)
    await eventually(() => left().length === 0, 'nothing more keeps the process alive').catch(
      (error: Error) => {
        throw new Error(`${error.message}; still there: ${left().join(', ')}`)
      },
    )
  } finally {
    hook.disable()
  }
}
