/** What a package's built declarations say, statement by statement: the raw material of the API report. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Comment, parseSync, type Statement, visitorKeys } from 'oxc-parser'

/** A name declared in a file: what stands there, without comments, and every identifier in it. */
export interface Declaration {
  readonly file: string
  readonly name: string
  readonly text: string
  readonly references: ReadonlySet<string>
}

interface Origin {
  readonly file: string
  readonly name: string
}

interface DeclarationFile {
  readonly declarations: ReadonlyMap<string, Declaration>
  /** Names that come from a neighbour file, by what they are called here. */
  readonly imported: ReadonlyMap<string, Origin>
  /** Exported name to the name it has in here or there. */
  readonly exported: ReadonlyMap<string, Origin>
}

const files = new Map<string, DeclarationFile>()

/** The names a declaration file exports, each with its declaration. */
export function exportsOf(file: string): Map<string, Declaration> {
  const exported = Array.from(load(file).exported, ([name, origin]) => [name, declarationOf(origin)] as const)
  return new Map(exported.filter((pair): pair is [string, Declaration] => pair[1] !== undefined))
}

/** The declarations in the same package that a declaration names. */
export function referencesOf({ file, name, references }: Declaration): Declaration[] {
  const { declarations, imported } = load(file)
  return [...references]
    .filter(reference => reference !== name)
    .map(reference => declarations.get(reference) ?? declarationOf(imported.get(reference)))
    .filter(declaration => declaration !== undefined)
}

function declarationOf(origin: Origin | undefined): Declaration | undefined {
  if (!origin) return undefined
  const { declarations, exported } = load(origin.file)
  const own = declarations.get(origin.name)
  if (own) return own
  const next = exported.get(origin.name)
  return next && (next.file !== origin.file || next.name !== origin.name) ? declarationOf(next) : undefined
}

function load(file: string): DeclarationFile {
  const known = files.get(file)
  if (known) return known
  const source = readFileSync(file, 'utf8')
  const { program, comments, errors } = parseSync(file, source)
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`)
  const found = {
    declarations: new Map<string, Declaration>(),
    imported: new Map<string, Origin>(),
    exported: new Map<string, Origin>(),
  }
  for (const statement of program.body as Statement[]) read(statement)
  files.set(file, found)
  return found

  function read(statement: Statement): void {
    if (statement.type === 'ImportDeclaration') {
      const from = neighbour(file, statement.source.value)
      if (!from) return
      for (const specifier of statement.specifiers) {
        const name = specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : '*'
        found.imported.set(specifier.local.name, { file: from, name })
      }
    } else if (statement.type === 'ExportNamedDeclaration' && !statement.declaration) {
      const from = statement.source ? neighbour(file, statement.source.value) : file
      if (!from) return
      for (const { local, exported } of statement.specifiers) {
        const name = nameOf(local)
        const origin = statement.source ? { file: from, name } : (found.imported.get(name) ?? { file, name })
        found.exported.set(nameOf(exported), origin)
      }
    } else if (statement.type === 'ExportAllDeclaration') {
      throw new Error(`${file}: export * hides what is public`)
    } else {
      declare(statement)
    }
  }

  function declare(statement: Statement): void {
    const isExported = statement.type === 'ExportNamedDeclaration'
    const node = (isExported ? statement.declaration : statement) as unknown as Node
    for (const name of declaredNames(node)) {
      const text = withoutComments(source, statement, comments)
      const before = found.declarations.get(name)
      found.declarations.set(name, {
        file,
        name,
        text: before ? `${before.text}\n${text}` : text, // Overloads of a function are statements of their own.
        references: new Set([...(before?.references ?? []), ...identifiers(node)]),
      })
      if (isExported) found.exported.set(name, { file, name })
    }
  }
}

/** A node of the syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string
  readonly name?: unknown
  readonly id?: Node
  readonly declarations?: readonly { readonly id: Node }[]
  readonly [key: string]: unknown
}

function declaredNames(node: Node): string[] {
  const ids = node.type === 'VariableDeclaration' ? (node.declarations ?? []).map(({ id }) => id) : [node.id]
  return ids.map(id => id?.name).filter(name => typeof name === 'string')
}

function* identifiers(node: Node): Generator<string> {
  if (node.type === 'Identifier' && typeof node.name === 'string') yield node.name
  for (const key of visitorKeys[node.type] ?? []) {
    for (const child of [node[key]].flat() as (Node | null | undefined)[])
      if (child) yield* identifiers(child)
  }
}

function nameOf(node: { readonly name?: string; readonly value?: unknown }): string {
  return node.name ?? String(node.value)
}

/** The declaration file that a relative import means; `undefined` for one of another package. */
function neighbour(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? join(dirname(file), specifier.replace(/\.(js|ts)$/, '.d.ts')) : undefined
}

function withoutComments(
  source: string,
  { start, end }: { readonly start: number; readonly end: number },
  comments: readonly Comment[],
): string {
  const parts: string[] = []
  let at = start
  for (const comment of comments.filter(comment => comment.start >= start && comment.end <= end)) {
    parts.push(source.slice(at, comment.start))
    at = comment.end
  }
  parts.push(source.slice(at, end))
  // What is private to a class is no business of its users.
  return parts.join('').replaceAll(/^\s*(#private;|private .*)?\n/gm, '')
}
