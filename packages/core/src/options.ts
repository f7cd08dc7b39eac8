import { invalidOption } from './errors.ts'

/** An integer option of at least `minimum`. @throws CacheError `INVALID_OPTION` naming it */
export function integer(value: unknown, name: string, minimum: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= minimum) return value as number
  throw invalidOption(name, value, `an integer >= ${minimum}`)
}

/** One of a list of words. @throws CacheError `INVALID_OPTION` listing them */
export function oneOf<T extends string>(value: unknown, name: string, accepted: readonly T[]): T {
  if (accepted.includes(value as T)) return value as T
  throw invalidOption(name, value, `one of ${accepted.join(', ')}`)
}
