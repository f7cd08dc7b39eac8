import { fileError, UsageError } from '../lib/command.ts'
import { lines } from './lines.ts'

/** Miss ratios of another implementation for one trace and size, by its policies. */
export interface ReferenceCell {
  readonly trace: string
  readonly references: number
  readonly size: number
  readonly miss: ReadonlyMap<string, number>
}

const COLUMNS = 'trace,refs,unique,size,policy,miss'

/** Reads a CSV file with the columns trace, refs, unique, size, policy, miss. @throws UsageError */
export async function readReference(file: string): Promise<ReferenceCell[]> {
  const cells = new Map<string, ReferenceCell & { readonly miss: Map<string, number> }>()
  let number = 0
  for await (const batch of lines(file)) {
    for (const line of batch) {
      number++
      if (number === 1 && line !== COLUMNS)
        throw new UsageError(`${file} must begin with the line ${COLUMNS}`)
      if (number === 1 || line === '') continue
      const row = parseRow(line)
      if (row === undefined) throw new UsageError(`${file}, line ${number}: not ${COLUMNS}`)
      const id = `${row.trace},${row.size}`
      const cell = cells.get(id) ?? { ...row, miss: new Map<string, number>() }
      cell.miss.set(row.policy, row.ratio)
      cells.set(id, cell)
    }
  }
  if (cells.size === 0) throw fileError('compare with', file, 'there are no rows in it')
  return [...cells.values()]
}

function parseRow(line: string) {
  const [trace = '', refs, , size, policy = '', miss, ...more] = line.split(',')
  const [references, entries, ratio] = [Number(refs), Number(size), Number(miss)]
  const valid =
    trace !== '' && policy !== '' && references > 0 && Number.isInteger(entries) && entries > 0 && ratio >= 0
  if (!valid || ratio > 1 || more.length > 0) return undefined
  return { trace, references, size: entries, policy, ratio }
}

/** The policy of a reference that goes by another spelling of our name: `S3FIFO` for `s3-fifo`. */
export function counterpart(policy: string, cell: ReferenceCell): number | undefined {
  const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]|^w(?=tinylfu)/g, '')
  const name = [...cell.miss.keys()].find(one => plain(one) === plain(policy))
  return name === undefined ? undefined : cell.miss.get(name)
}

/** The policy of the reference that missed least. */
export function bestOf({ miss }: ReferenceCell): { readonly policy: string; readonly miss: number } {
  const [first, ...others] = Array.from(miss, ([policy, ratio]) => ({ policy, miss: ratio }))
  return others.reduce(
    (best, one) => (one.miss < best.miss ? one : best),
    first as { policy: string; miss: number },
  )
}
