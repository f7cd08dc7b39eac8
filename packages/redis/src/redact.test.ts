import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { redact, replyCode } from './redact.ts'

function replyError(message: string): Error {
  const error = new Error(message)
  error.name = 'ReplyError'
  return Object.assign(error, { command: { name: 'hello', args: ['3', 'AUTH', 'default', 'hunter2'] } })
}

describe('a redacted error', () => {
  test.each([
    replyError('ERR unknown command `SET`, with args beginning with: `hunter2`'),
    replyError('hunter2'),
    Object.assign(new Error('hunter2'), { code: 'hunter2 with blanks', name: 'the hunter2' }),
    'hunter2',
    { stack: 'Error: x\n    at "hunter2":1:1\nhunter2' },
    new Error('several\n    at hunter2\nlines of hunter2'),
    new Error('cause', { cause: 'hunter2' }),
  ])('shows nothing of message, arguments or cause', thrown => {
    expect(inspect(redact(thrown), { depth: 9, showHidden: true })).not.toContain('hunter2')
  })

  test('keeps name, code and where it was thrown', () => {
    const thrown = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' })
    const redacted = redact(thrown)
    expect(redacted.message).toMatch(/^Error ECONNREFUSED /)
    expect(redacted.stack).toContain('redact.test.ts')
    expect(redact(replyError('WRONGPASS for hunter2')).message).toMatch(/^ReplyError WRONGPASS /)
  })
})

test('the code of a reply is its first word, if that is one', () => {
  expect(replyCode(replyError('OOM command not allowed'))).toBe('OOM')
  expect(replyCode(replyError('READONLY'))).toBe('READONLY')
  expect(replyCode(replyError('hunter2 is wrong'))).toBeUndefined()
  expect(replyCode(new Error('OOM'))).toBeUndefined()
})
