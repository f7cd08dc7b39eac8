import { runCommand } from '../lib/command.ts'
import { describeMachine } from '../lib/machine.ts'
import { count } from '../lib/numbers.ts'
import { markdownTable, type Table, textTable } from '../lib/table.ts'
import { helpText, parseArguments } from './arguments.ts'
import { compareDictionaries, type Kind, shareLeft } from './dictionaries.ts'
import { compareWays, crossover, type Series } from './ways.ts'

/** Bytes of records that are hardly worth it, and of the dictionary that they get. */
const TINY = [32, 64, 128, 256]
const TINY_DICTIONARY_BYTES = 8_192

await runCommand(async argv => {
  const args = parseArguments(argv)
  if (args.help) {
    process.stdout.write(helpText)
    return 0
  }
  const print = (text: string): boolean => process.stdout.write(`${text}\n\n`)
  const show = args.markdown ? markdownTable : textTable
  const { date, cpu, cores, platform, node } = describeMachine([])
  print(`${date}, Node ${node}, ${platform}, ${cores} × ${cpu}.`)

  const sizes = args.sizes.map(kibibytes => kibibytes * 1_024)
  const series = await compareWays(sizes, args.runs)
  print(
    'µs that a call holds the event loop → that it keeps it busy on the thread pool (until it is answered):',
  )
  print(show(tableOfWays(args.sizes, series)))
  const from = crossover(sizes, series)
  print(
    from === undefined
      ? 'At none of these sizes the thread pool keeps the loop busy for less time by every algorithm.'
      : `From ${count(from / 1_024)} KiB on the thread pool keeps the loop busy for less time, by every algorithm both ways.`,
  )
  if (args.dictionaries.length === 0) return 0

  for (const kind of compareDictionaries(args.dictionaries)) {
    print(`${kind.name}, ${count(kind.meanBytes)} bytes of JSON on average:`)
    print(show(tableOfDictionaries(kind)))
  }
  const left = TINY.map(bytes => `${bytes}: ${percent(shareLeft(bytes, TINY_DICTIONARY_BYTES))}`)
  print(`Of the first bytes of an order, deflate with a dictionary of 8 KiB leaves: ${left.join(', ')}.`)
  return 0
})

function tableOfWays(sizes: readonly number[], series: readonly Series[]): Table {
  return {
    header: ['', ...sizes.map(size => `${count(size)} KiB`)],
    rows: series.map(({ name, timings }) => [
      name,
      ...timings.map(({ sync, busy, wait }) => `${count(sync)} → ${count(busy)} (${count(wait)})`),
    ]),
  }
}

function tableOfDictionaries({ outcomes }: Kind): Table {
  return {
    header: ['', 'dictionary', 'times smaller', 'compress, µs', 'decompress, µs'],
    rows: outcomes.map(({ method, dictionaryBytes, ratio, compress, decompress }) => [
      method,
      count(dictionaryBytes),
      ratio.toFixed(2),
      count(compress),
      count(decompress),
    ]),
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
