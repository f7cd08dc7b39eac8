/** Writes what follows from the catalogue: the dashboard, the alerts, and the table of the README. */
import { readFile, writeFile } from 'node:fs/promises'
import { generated } from './generated.ts'

for (const [file, contents] of await generated()) {
  const before = await readFile(file, 'utf8').catch(() => '')
  if (before !== contents) await writeFile(file, contents)
}
