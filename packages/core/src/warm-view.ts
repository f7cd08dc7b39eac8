import type { LoadOptions } from './cache-options.ts'
import type { View } from './view.ts'
import { WarmUp } from './warm.ts'
import { LoadWork } from './warm-loads.ts'
import {
  assertSource,
  loaderOf,
  toTerms,
  type WarmUpKeys,
  type WarmUpLoader,
  type WarmUpLoadOptions,
  type WarmUpProgress,
  type WarmUpSource,
  type WarmUpWriteOptions,
} from './warm-options.ts'
import { WriteWork } from './warm-writes.ts'

/** Warms a view up: writes what a source has or, told how to load it, what its keys stand for. */
export async function warm<V>(
  view: View,
  source: WarmUpSource<V> | WarmUpKeys,
  options: WarmUpWriteOptions | WarmUpLoadOptions<V>,
): Promise<WarmUpProgress> {
  const { engine } = view
  engine.life.assertOpen()
  assertSource(source)
  const terms = toTerms(source, options, view.batchSize)
  const loader = loaderOf(options)
  if (!loader) {
    const { overwrite = false }: WarmUpWriteOptions = options
    return new WarmUp(engine, new WriteWork(view, overwrite), terms).run(source as WarmUpSource<unknown>)
  }
  const work = new LoadWork(view, loader as WarmUpLoader<unknown>, view.policyFor(options as LoadOptions))
  return new WarmUp(engine, work, terms).run(source as WarmUpKeys)
}
