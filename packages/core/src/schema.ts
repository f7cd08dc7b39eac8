import { assertValue } from './arguments.ts'
import { type Awaitable, chain, isPending } from './awaitable.ts'
import { CacheError, invalidOption } from './errors.ts'

/**
 * What a value has to look like: any schema with the interface of Standard Schema (https://standardschema.dev), such as those of
 * zod, valibot and arktype.
 *
 * @typeParam V what it gives; it has to accept that too
 */
export interface Schema<V = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<V> | Promise<SchemaResult<V>>
    readonly types?: { readonly input: unknown; readonly output: V } | undefined
  }
}

/** What a schema says of a value: what it comes to, or what is wrong with it. */
export type SchemaResult<V> =
  | { readonly value: V; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A value does not match: where, and never what it is. */
export class Mismatch {
  readonly paths: readonly string[]
  /** What the schema threw instead of an answer. */
  readonly cause: unknown

  constructor(issues: readonly SchemaIssue[], cause?: unknown) {
    this.paths = [...new Set(issues.slice(0, MAX_PATHS).map(pathOf))]
    this.cause = cause
  }

  /** @param whose the value, in words */
  toError(whose: string): CacheError {
    const where = this.paths.length === 0 ? '' : `, at ${this.paths.join(', ')}`
    const message = `${whose} does not match the schema${where}: nothing was stored`
    return new CacheError(
      'INVALID_VALUE',
      message,
      this.cause === undefined ? undefined : { cause: this.cause },
    )
  }
}

const MAX_PATHS = 10

const validators = new WeakMap<object, Validator>()

/** A schema, and what it gave for the objects that it has seen. */
export class Validator {
  readonly #validate: (value: unknown) => Awaitable<SchemaResult<unknown>>
  /** By object: what is found again, as in memory, need not be validated again. */
  readonly #outputs = new WeakMap<object, unknown>()

  private constructor(schema: Schema) {
    this.#validate = value => schema['~standard'].validate(value)
  }

  /** One for all who have the same schema. @throws CacheError `INVALID_OPTION` */
  static of(schema: Schema): Validator {
    assertSchema(schema)
    let validator = validators.get(schema)
    if (!validator) {
      validator = new Validator(schema)
      validators.set(schema, validator)
    }
    return validator
  }

  /** What a value comes to that was stored. */
  read(value: unknown): Awaitable<unknown> {
    const known = isObject(value) ? this.#outputs.get(value) : undefined
    return known ?? chain(this.#judge(value), output => this.#note(value, output))
  }

  /**
   * What a value comes to that is to be stored. The schema must accept that as well: it will see it when it is read.
   *
   * @param whose the value, in words
   * @throws CacheError `INVALID_VALUE`, now or later
   */
  admit(value: unknown, whose: string): Awaitable<unknown> {
    return chain(this.#judge(value), output => {
      if (output instanceof Mismatch) throw output.toError(whose)
      assertValue(output)
      if (output === value) return this.#note(output, output)
      return chain(this.#judge(output), again => {
        if (again instanceof Mismatch) throw again.toError('what the schema made of a value')
        return this.#note(output, output)
      })
    })
  }

  /** As {@link admit}, at once: what it cannot tell so soon is given as it is, to be validated when it is read. */
  admitNow(value: unknown, whose: string): unknown {
    const output = this.admit(value, whose)
    if (!isPending(output)) return output
    output.catch(() => {})
    return value
  }

  #judge(value: unknown): Awaitable<unknown> {
    const refuse = (cause: unknown): Mismatch => new Mismatch([], cause)
    try {
      const result = this.#validate(value)
      return isPending(result) ? result.then(verdictOf).catch(refuse) : verdictOf(result)
    } catch (thrown) {
      return refuse(thrown)
    }
  }

  #note(value: unknown, output: unknown): unknown {
    if (isObject(value) && !(output instanceof Mismatch)) this.#outputs.set(value, output)
    return output
  }
}

function verdictOf(result: SchemaResult<unknown>): unknown {
  return result.issues ? new Mismatch(result.issues) : result.value
}

/** @throws CacheError `INVALID_OPTION` */
function assertSchema(schema: unknown): void {
  const standard = isObject(schema) ? (schema as Partial<Schema>)['~standard'] : undefined
  if (standard?.version === 1 && typeof standard.validate === 'function') return
  throw invalidOption('schema', schema, 'a Standard Schema, such as those of zod, valibot and arktype')
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Names of fields and places in arrays; any other key may be part of the value, and is not told. */
const FIELD = /^[A-Za-z_$][\w$-]{0,39}$/

function pathOf({ path = [] }: SchemaIssue): string {
  if (path.length === 0) return 'the value itself'
  return path
    .map(step => (typeof step === 'object' ? step.key : step))
    .map(key => (typeof key === 'number' || FIELD.test(String(key)) ? String(key) : '…'))
    .join('.')
}
