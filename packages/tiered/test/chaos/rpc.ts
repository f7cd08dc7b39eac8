/** What one side of a channel offers to the other: functions of one argument, by name. */
export type Api = Readonly<Record<string, (argument: never) => unknown>>

/** A process to talk to: a child, or from within a child the one that made it. */
interface Channel {
  readonly connected: boolean
  send?(message: Message, handled: () => void): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
}

type Message =
  | { readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly id: number; readonly answer: unknown }

const NO_ANSWER = -1

/** Calls from process to process, both ways, each answered once. */
export class Rpc<Theirs extends Api> {
  readonly #channel: Channel
  readonly #own: Api
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  #next = 0
  #gone = false

  constructor(channel: Channel, own: Api) {
    this.#channel = channel
    this.#own = own
    channel.on('message', message => void this.#receive(message as Message))
  }

  /** Rejects if the other side is gone. */
  call<Name extends keyof Theirs & string>(
    name: Name,
    argument: Parameters<Theirs[Name]>[0],
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    return new Promise((resolve, reject) => {
      if (this.#gone) return reject(goneError(name))
      const id = this.#next++
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject })
      this.#send({ id, name, argument })
    })
  }

  /** As {@link call}, without an answer. */
  tell<Name extends keyof Theirs & string>(name: Name, argument: Parameters<Theirs[Name]>[0]): void {
    this.#send({ id: NO_ANSWER, name, argument })
  }

  /** The other side is gone: nobody will answer any more. */
  close(): void {
    this.#gone = true
    for (const { reject } of this.#waiting.values()) reject(goneError('a call'))
    this.#waiting.clear()
  }

  async #receive(message: Message): Promise<void> {
    if ('answer' in message) {
      this.#waiting.get(message.id)?.resolve(message.answer)
      this.#waiting.delete(message.id)
      return
    }
    const method = this.#own[message.name] as (argument: unknown) => unknown
    const answer = await method(message.argument)
    if (message.id !== NO_ANSWER) this.#send({ id: message.id, answer: answer ?? null })
  }

  #send(message: Message): void {
    if (this.#channel.connected) this.#channel.send?.(message, () => {})
  }
}

function goneError(name: string): Error {
  return new Error(`${name}: the other process is gone`)
}
