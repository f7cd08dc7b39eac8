import { basename } from 'node:path'
import { UsageError } from '../lib/command.ts'
import { count } from '../lib/numbers.ts'
import { lines } from './lines.ts'
import { type Trace, TraceBuilder } from './trace.ts'

/** A file of keys, one a line; blank lines do not count. @throws UsageError */
export async function readTrace(file: string): Promise<Trace> {
  const builder = new TraceBuilder()
  for await (const batch of lines(file)) {
    for (const line of batch) addKey(builder, line.trim())
  }
  if (builder.length === 0) throw new UsageError(`${file} has no keys in it; expected one a line`)
  return builder.build(basename(file).replace(/(\.txt)?(\.gz)?$/, ''))
}

export interface LogTrace extends Trace {
  readonly lines: number
}

/**
 * The keys in a log, several files one after the other: of each line that matches, what the first group captured, or
 * the whole match of a pattern without groups.
 *
 * @throws UsageError also if no line matches
 */
export async function readLog(files: readonly string[], pattern: RegExp): Promise<LogTrace> {
  const builder = new TraceBuilder()
  let read = 0
  let sample = ''
  for (const file of files) {
    for await (const batch of lines(file)) {
      for (const line of batch) {
        read++
        sample ||= line
        addKey(builder, keyOf(line, pattern))
      }
    }
  }
  if (builder.length === 0) throw noKey(files, pattern, read, sample)
  return { ...builder.build(files.map(file => basename(file)).join(' + ')), lines: read }
}

/** The key in a line; `undefined` without a match, or if what it captures is empty. */
export function keyOf(line: string, pattern: RegExp): string | undefined {
  const match = pattern.exec(line)
  if (match === null) return undefined
  return (match.length > 1 ? match[1] : match[0]) || undefined
}

function addKey(builder: TraceBuilder, key: string | undefined): void {
  if (key === undefined || key === '') return
  try {
    builder.add(key)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(`more than ${count(2 ** 24)} distinct keys: give a part of the trace`)
  }
}

function noKey(files: readonly string[], pattern: RegExp, read: number, sample: string): UsageError {
  const where = files.join(', ')
  if (read === 0) return new UsageError(`${where}: no lines in it`)
  return new UsageError(
    `${where}: --key ${pattern} fits none of ${count(read)} lines; the first is\n  ${sample.slice(0, 200)}`,
  )
}
