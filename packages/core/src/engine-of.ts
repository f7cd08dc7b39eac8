import type { Engine } from './engine.ts'

const engines = new WeakMap<object, Engine>()

/** Tells what a cache or namespace runs on to the rest of this package, and to nobody else. */
export function runsOn(cache: object, engine: Engine): void {
  engines.set(cache, engine)
}

/** What a cache runs on; `undefined` of what only looks like one. */
export function engineOf(cache: object): Engine | undefined {
  return engines.get(cache)
}
