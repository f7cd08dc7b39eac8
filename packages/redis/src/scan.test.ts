import { expect, test } from 'vitest'
import { startingWith } from './scan.ts'

test('every character with a meaning in a pattern is escaped', () => {
  expect(startingWith('a*b?c[d]e^f-g\\h:')).toBe('a\\*b\\?c\\[d\\]e\\^f\\-g\\\\h:*')
})
