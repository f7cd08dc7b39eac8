import { type BuildOptions, build } from 'esbuild'
import { root } from '../scripts/pack.ts'

/** What a bundler for Node makes of a module that is given as text: minified, as one text. */
export async function bundle(contents: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    logLevel: 'silent',
    ...options,
    write: false,
  })
  return outputFiles?.[0]?.text ?? ''
}
