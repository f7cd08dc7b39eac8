import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { StoreHealth } from '@cache/core'
import { eventually } from '@cache/test-support'
import type { HistoryEvent, OfTruth, OfWorker, Tally, Violation, WorkerOptions } from './protocol.ts'
import { Rpc } from './rpc.ts'
import type { Truth } from './truth.ts'

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))
/** A busy machine takes its time; a process that hangs never ends. */
const END_WITHIN = 20_000

/** A process that shares the Redis, seen from the one that holds the truth. */
export class Worker {
  readonly options: WorkerOptions
  readonly #child: ChildProcess
  readonly #rpc: Rpc<OfWorker>
  readonly #ended: Promise<number | null>
  readonly #output: string[] = []

  constructor(options: WorkerOptions, truth: Truth, tell: (violation: Violation) => void) {
    const { slot, processes } = options
    this.options = options
    this.#child = fork(WORKER, [JSON.stringify(options)], {
      execArgv: ['--conditions=@cache/source', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.stderr?.on('data', (data: Buffer) => this.#output.push(data.toString()))
    const own: OfTruth = {
      load: keys => truth.load(keys),
      bump: intent => truth.bump(slot, processes, intent),
      wrote: write => truth.wrote(slot, write),
      confirmed: ids => truth.confirmed(slot, ids),
      inheritanceApplied: () => truth.inheritanceApplied(slot),
      readPastNear: read => truth.readPastNear(read),
      tell: ({ kind, what }) => tell({ kind, what: `process ${slot}: ${what}` }),
    }
    this.#rpc = new Rpc<OfWorker>(this.#child, own)
    this.#ended = new Promise(resolve => this.#child.once('exit', code => resolve(code)))
    void this.#ended.then(() => this.#rpc.close())
  }

  get call(): Rpc<OfWorker>['call'] {
    return (name, argument) => this.#rpc.call(name, argument)
  }

  health(): Promise<StoreHealth> {
    return this.#rpc.call('health', null)
  }

  tally(): Promise<Tally> {
    return this.#rpc.call('tally', null)
  }

  history(): Promise<readonly HistoryEvent[]> {
    return this.#rpc.call('history', null)
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  /** Closes its cache. @returns what kept it from ending by itself then, if anything did */
  async stop(): Promise<string | undefined> {
    await this.#rpc.call('stop', null).catch(() => {})
    let code: number | null | undefined
    void this.#ended.then(ended => {
      code = ended
    })
    try {
      await eventually('the process ended', () => code !== undefined, END_WITHIN)
    } catch {
      await this.kill()
      return 'it goes on after close'
    }
    return code === 0 ? undefined : `it ended with ${code}: ${this.#output.join('')}`
  }
}
