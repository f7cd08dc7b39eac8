/** What the table shows at one moment. Ratios are shares of all reads, 0 to 1. */
export interface Snapshot {
  readonly elapsedSeconds: number
  readonly durationSeconds: number
  readonly recent: Column
  readonly total: Column
  /** In words: what Redis is doing. */
  readonly redis: string
}

export interface Column {
  readonly requestsPerSecond: number
  readonly errors: number
  readonly hitRatio: number
  readonly l1HitRatio: number
  readonly l2HitRatio: number
  readonly originQueries: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** The part of a terminal that the table needs. */
export interface Screen {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Shows the latest snapshot: in place on a terminal, one line after the other elsewhere. */
export class Table {
  readonly #screen: Screen
  /** The lines of the table on the terminal, which the next ones replace. */
  #shown: readonly string[] = []

  constructor(screen: Screen) {
    this.#screen = screen
  }

  show(snapshot: Snapshot): void {
    if (this.#screen.isTTY) this.#replace(block(snapshot))
    else this.#screen.write(`${line(snapshot)}\n`)
  }

  /** Prints a line that stays, above the table. */
  say(text: string): void {
    this.#replace([text, ...this.#shown], this.#shown)
  }

  /** Prints what comes after the table, which is not redrawn any more. */
  conclude(text: string): void {
    this.#shown = []
    this.say(text)
  }

  #replace(lines: readonly string[], shown = lines): void {
    const erase = this.#shown.length === 0 ? '' : `\u001b[${this.#shown.length}F\u001b[J`
    this.#screen.write(`${erase}${lines.join('\n')}\n`)
    this.#shown = shown
  }
}

/** A snapshot in one line. */
export function line({ elapsedSeconds, recent, total, redis }: Snapshot): string {
  return [
    `${elapsedSeconds.toFixed(0).padStart(3)} s`,
    `${count(recent.requestsPerSecond)} req/s`,
    `hits ${percent(recent.hitRatio)} (memory ${percent(recent.l1HitRatio)}, redis ${percent(recent.l2HitRatio)})`,
    `p50 ${ms(recent.p50Ms)}`,
    `p99 ${ms(recent.p99Ms)}`,
    `origin ${count(recent.originQueries)}`,
    `errors ${total.errors}`,
    `redis: ${redis}`,
  ].join('  ')
}

/** A snapshot as a table. */
function block({ elapsedSeconds, durationSeconds, recent, total, redis }: Snapshot): string[] {
  const row = (label: string, show: (column: Column) => string): string =>
    `  ${label.padEnd(16)}${show(recent).padStart(14)}${show(total).padStart(14)}`
  return [
    '',
    `  ${`${elapsedSeconds.toFixed(0)} s of ${durationSeconds} s`.padEnd(16)}${'now'.padStart(14)}${'in all'.padStart(14)}`,
    row('requests/s', column => count(column.requestsPerSecond)),
    row('hit ratio', column => percent(column.hitRatio)),
    row('  memory', column => percent(column.l1HitRatio)),
    row('  redis', column => percent(column.l2HitRatio)),
    row('p50', column => ms(column.p50Ms)),
    row('p99', column => ms(column.p99Ms)),
    row('origin queries', column => count(column.originQueries)),
    row('failed requests', column => count(column.errors)),
    `  ${'Redis'.padEnd(16)}  ${redis}`,
    '',
  ]
}

export function count(n: number): string {
  return Math.round(n).toLocaleString('en')
}

export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`
}

export function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(2)} ms`
}
