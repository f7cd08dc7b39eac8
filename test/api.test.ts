import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { expect, test } from 'vitest'
import { apiReports } from '../scripts/api-report.ts'
import { root } from '../scripts/pack.ts'

test.each(apiReports().map(report => ({ ...report, name: relative(root, report.file) })))(
  '$name is what the build exports',
  ({ file, content }) => {
    // It is not? Then the public API changed: `pnpm api` writes it down, and a changeset tells the users.
    expect(content).toBe(readFileSync(file, 'utf8'))
  },
)

test('a report has names, signatures and the types they need, and neither comments nor private parts', () => {
  const memory = apiReports().find(({ file }) => file.includes('memory'))?.content ?? ''
  expect(memory).toContain('export declare class BoundedMap<K, V>')
  expect(memory).toContain('get(key: K): V | undefined;')
  expect(memory).toContain('export type PolicyName')
  expect(memory).not.toMatch(/\/\*\*|#private|private /)
})
