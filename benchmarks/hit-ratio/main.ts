import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError, runCommand, UsageError } from '../lib/command.ts'
import { count } from '../lib/numbers.ts'
import { type Arguments, helpText, parseArguments } from './arguments.ts'
import { svgCharts } from './chart.ts'
import { type Compared, compare, comparisonTable, summaryTable } from './comparison.ts'
import { GENERATED } from './generated.ts'
import { readLog, readTrace } from './read-trace.ts'
import { type ReferenceCell, readReference } from './reference.ts'
import { type Result, replay } from './replay.ts'
import { advice, missTable } from './report.ts'
import { curveSizes, resolveSizes } from './sizes.ts'
import type { Trace } from './trace.ts'

await runCommand(async argv => {
  const args = parseArguments(argv)
  if (args.help) process.stdout.write(helpText())
  else if (args.reference === undefined) await replayAll(args)
  else await compareAll(args, await readReference(args.reference))
  return 0
})

async function replayAll(args: Arguments): Promise<void> {
  const results: Result[] = []
  const curves: Result[] = []
  for await (const trace of tracesOf(args)) {
    const sizes = resolveSizes(args.sizes, trace.unique)
    const drawn = args.svg === undefined ? sizes : curveSizes(sizes, trace.unique)
    const curve = replay(trace, drawn, args.policies, showProgress)
    const result = { ...curve, sizes, cells: curve.cells.filter(({ size }) => sizes.includes(size)) }
    curves.push(curve)
    results.push(result)
    if (args.json) continue
    print(missTable(result))
    if (args.log !== undefined) print(advice(result))
  }
  if (args.json) print(JSON.stringify({ results: results.map(plain) }))
  await draw(args, curves)
}

async function compareAll(args: Arguments, reference: readonly ReferenceCell[]): Promise<void> {
  const compared: Compared[] = []
  const results: Result[] = []
  for await (const trace of tracesOf(args)) {
    const cells = reference.filter(cell => cell.trace === trace.name)
    if (cells.length === 0) {
      process.stderr.write(`${trace.name}: not in ${args.reference}, left out\n`)
      continue
    }
    const other = cells.find(cell => cell.references !== trace.references.length)
    if (other !== undefined) {
      throw new UsageError(
        `${trace.name} has ${count(trace.references.length)} references, in ${args.reference} ${count(other.references)}`,
      )
    }
    const sizes = [...new Set(cells.map(({ size }) => size))].toSorted((a, b) => a - b)
    const result = replay(trace, sizes, args.policies, showProgress)
    const own = compare(result, cells)
    results.push(result)
    compared.push(...own)
    if (!args.json) print(comparisonTable(own, cells))
  }
  if (compared.length === 0) throw new UsageError(`none of the traces is in ${args.reference}`)
  if (args.json) print(JSON.stringify({ compared }))
  else
    print(
      `All ${new Set(compared.map(({ trace, size }) => `${trace} ${size}`)).size} cells\n${summaryTable(compared)}`,
    )
  await draw(args, results)
}

/** One after the other, so that only one is in memory unless it is drawn. */
async function* tracesOf({ traces, log }: Arguments): AsyncGenerator<Trace> {
  if (log !== undefined) {
    const trace = await readLog(log.files, log.pattern)
    process.stderr.write(`${count(trace.lines)} lines, ${count(trace.references.length)} with a key\n`)
    yield trace
    return
  }
  for (const name of traces.length > 0 ? traces : await defaultTraces()) {
    yield GENERATED.get(name)?.() ?? (await readTrace(name))
  }
}

async function defaultTraces(): Promise<string[]> {
  const directory = process.env.TRACES_DIR
  if (!directory) return [...GENERATED.keys()]
  const names = await readdir(directory).catch(error => {
    throw fileError('read TRACES_DIR', directory, error)
  })
  const files = names.filter(name => name.endsWith('.txt.gz')).toSorted()
  if (files.length === 0) throw new UsageError(`TRACES_DIR has no *.txt.gz in it: ${directory}`)
  return files.map(name => join(directory, name))
}

async function draw({ svg }: Arguments, results: readonly Result[]): Promise<void> {
  if (svg === undefined) return
  await writeFile(svg, svgCharts(results)).catch(error => {
    throw fileError('write', svg, error)
  })
  process.stderr.write(`drawn: ${svg}\n`)
}

/** A result without its trace's references. */
function plain({ trace, cells }: Result) {
  return { trace: trace.name, references: trace.references.length, unique: trace.unique, cells }
}

function print(text: string): void {
  showProgress('')
  process.stdout.write(`${text}\n\n`)
}

/** On the last line of a terminal, in place. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}
