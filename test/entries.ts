import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, root } from '../scripts/pack.ts'

/** An entry of a package, as built: `@cache/redis/msgpack`. */
export interface Entry {
  readonly entry: string
  /** The package's directory. */
  readonly directory: string
  /** What the entry leads to. */
  readonly file: string
}

/** Every entry of every package. */
export const entries: readonly Entry[] = readdirSync(join(root, 'packages')).flatMap(name => {
  const directory = join(root, 'packages', name)
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest
  return Object.entries(manifest.exports as Record<string, { readonly default: string }>).map(
    ([path, target]) => ({
      entry: path.replace('.', manifest.name),
      directory,
      file: join(directory, target.default),
    }),
  )
})
