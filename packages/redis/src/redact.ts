/** Codes and error names are short plain words; whatever is not could hide anything. */
const SAFE_WORD = /^[A-Za-z][\w-]{0,40}$/

/**
 * What may be kept of a client's error. Its message and properties carry command arguments (so cached values)
 * and, when a login fails, user and password; kept are only its name, its code and where it was thrown.
 */
export function redact(thrown: unknown): Error {
  const { name, code, stack } = (thrown ?? {}) as { name?: unknown; code?: unknown; stack?: unknown }
  const label = [name, code ?? replyCode(thrown)].filter(isSafe).join(' ') || 'Error'
  const error = new Error(`${label} (details withheld: they may hold values or credentials)`)
  error.stack = [`Error: ${error.message}`, ...frames(stack)].join('\n')
  return error
}

/** The first word of an error reply (`WRONGPASS`, `OOM`, `ERR` …): the only part of it that is safe to repeat. */
export function replyCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || thrown.name !== 'ReplyError') return undefined
  return /^[A-Z]{2,20}(?= |$)/.exec(thrown.message)?.[0]
}

function isSafe(word: unknown): word is string {
  return typeof word === 'string' && SAFE_WORD.test(word)
}

/** The lines of a stack that name code, without the message above them. */
function frames(stack: unknown): string[] {
  if (typeof stack !== 'string') return []
  return stack.split('\n').filter(line => /^ {4}at [^"'`]+:\d+:\d+\)?$/.test(line))
}
