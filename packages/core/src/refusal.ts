import { admitted } from './load-context.ts'
import type { LoadReport } from './load-report.ts'
import type { Validator } from './schema.ts'

/** Stands for a loaded value that does not match the schema, among others that do. */
export class Refusal {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/** What is to be stored and given for each of the loaded values; one that does not match is refused by itself. */
export function admitEach(schema: Validator, values: readonly unknown[]): Promise<readonly unknown[]> {
  const admit = async (value: unknown): Promise<unknown> => {
    try {
      return await admitted(schema, value)
    } catch (error) {
      return new Refusal(error)
    }
  }
  return Promise.all(values.map(admit))
}

/** The report of a run in two, if anything that it gave was refused. */
export function refusedOf(
  report: LoadReport,
  loaded: ReadonlyMap<string, unknown>,
): { readonly report: LoadReport; readonly error: unknown; readonly kept: LoadReport } | undefined {
  const first = [...loaded.values()].find(value => value instanceof Refusal)
  if (!first) return undefined
  const part = (isRefused: boolean): LoadReport => {
    const isIn = (address: string): boolean => loaded.get(address) instanceof Refusal === isRefused
    return { ...report, addresses: report.addresses.filter(isIn), refreshed: report.refreshed.filter(isIn) }
  }
  return { report: part(true), error: first.error, kept: part(false) }
}
