import { Command, Redis } from 'ioredis'
import { encodeCommands, type Words } from './protocol.ts'
import type { RedisLike } from './redis-like.ts'

/** A command and, for those who trace commands, the key that it is about. */
export type Told = readonly [key: string, words: Words]

/** Of commands sent together, the error that each ended in, or `undefined`; nothing at all if all went well. */
export type Errors = readonly (Error | undefined)[] | undefined

/** Whether commands can be sent as bytes made here: to an ioredis that adds nothing of its own to what it is told. */
export function takesBytes(client: RedisLike): client is Redis {
  if (!(client instanceof Redis)) return false
  const { keyPrefix, commandTimeout, enableAutoPipelining } = client.options
  return !keyPrefix && commandTimeout === undefined && !enableAutoPipelining
}

/**
 * Sends a command. By itself ioredis makes a dozen small strings and some promises of it, which takes as long as all the
 * rest of a read of 1 KB does here.
 *
 * @returns the reply as it came: texts are bytes
 */
export function exchange(client: Redis, key: string, words: Words): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const command = new Prepared(words, key, { promise, resolve, reject })
  command.bytes = encodeCommands([words])
  client.sendCommand(command.asCommand())
  return promise
}

/** Sends commands in one piece. */
export function exchangeAll(client: Redis, commands: readonly Told[]): Promise<Errors> {
  const { promise, resolve } = Promise.withResolvers<Errors>()
  let errors: (Error | undefined)[] | undefined
  let left = commands.length
  const ended = (): void => {
    if (--left === 0) resolve(errors)
  }
  const bytes = encodeCommands(commands.map(([, words]) => words))
  for (let place = 0; place < commands.length; place++) {
    const [key, words] = commands[place] as Told
    const reject = (error: Error): void => {
      errors ??= commands.map(() => undefined)
      errors[place] = error
      ended()
    }
    const command = new Prepared(words, key, { promise, resolve: ended, reject })
    command.pipelineIndex = place
    // The first one brings the bytes of all: of the others the client has to know, to expect their replies.
    if (place === 0) command.bytes = bytes
    client.sendCommand(command.asCommand(), place === 0 ? undefined : NOWHERE)
  }
  return promise
}

/** Where the bytes of a command go that brings none. */
const NOWHERE = { write: () => true } as unknown as Parameters<Redis['sendCommand']>[1]

type Settling = Pick<Command, 'promise' | 'resolve' | 'reject'>

/** As much of a command as ioredis needs to send it and to bring back the reply; the rest is inherited. */
class Prepared {
  readonly name: string
  readonly args: readonly string[]
  // Properties rather than methods, as a command has them: whoever wraps a client calls them on their own.
  resolve: Settling['resolve']
  reject: Settling['reject']
  readonly promise: Settling['promise']
  isTraced = false
  bytes: Buffer | string = ''
  /** Its place among those sent together: without all before it, it is not sent again. */
  pipelineIndex: number | undefined

  constructor(words: Words, key: string, { promise, resolve, reject }: Settling) {
    this.name = words[0]
    this.args = [key]
    this.promise = promise
    this.resolve = resolve
    this.reject = reject
  }

  toWritable(): Buffer | string {
    return this.bytes
  }

  asCommand(): Command {
    return this as unknown as Command
  }
}

// Not by `extends`: the constructor of a command would do all the work that is saved here.
Object.setPrototypeOf(Prepared.prototype, Command.prototype)
