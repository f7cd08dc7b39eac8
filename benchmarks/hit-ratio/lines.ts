import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { fileError, UsageError } from '../lib/command.ts'

/** Longer than any line of a log: what has none shorter is no text, and must not be gathered in memory. */
const MAX_LINE = 1_000_000

/**
 * The lines of a file, `.gz` unpacked on the way, in batches as they are read; without line ends, of Windows either.
 *
 * @throws UsageError if the file cannot be read or is no text in lines
 */
export async function* lines(file: string): AsyncGenerator<readonly string[]> {
  let rest = ''
  try {
    for await (const chunk of open(file)) {
      const batch = (rest + chunk).split('\n')
      rest = batch.pop() as string
      if (rest.length > MAX_LINE) throw new UsageError(`${file} is no text file: a line in it does not end`)
      yield batch.map(withoutReturn)
    }
  } catch (error) {
    throw error instanceof UsageError ? error : fileError('read', file, error)
  }
  if (rest !== '') yield [withoutReturn(rest)]
}

function open(file: string): Readable {
  const bytes = createReadStream(file)
  // Errors reach the reader through the last stream of the pipeline.
  const text = file.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => {}) : bytes
  return text.setEncoding('utf8')
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
