import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A directory for the files of one test file, gone afterwards. */
export function temporaryDirectory(): {
  readonly path: string
  file(name: string, content: string | Buffer): string
} {
  const path = mkdtempSync(join(tmpdir(), 'cache-benchmarks-'))
  afterAll(() => rmSync(path, { recursive: true }))
  return {
    path,
    file(name, content) {
      writeFileSync(join(path, name), content)
      return join(path, name)
    },
  }
}
