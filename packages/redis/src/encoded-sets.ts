import { Command, Pipeline } from 'ioredis'

/** A SET with a time to live. */
export interface EncodedSet {
  readonly key: string
  readonly bytes: Buffer
  readonly ttlMs: number
}

/** A command whose bytes are made here: the client sends what it is told to, and matches the answer. */
class PreparedCommand extends Command {
  bytes: Buffer | '' = ''

  override toWritable(): Buffer | string {
    return this.bytes
  }
}

/**
 * Adds SETs to a pipeline of ioredis as one piece of its protocol. By itself ioredis makes a dozen small strings and
 * buffers of each and copies its value twice, which takes as long as all the rest of a write of 1 KB.
 *
 * @returns false, and adds nothing, if the pipeline is of another client, or of a cluster
 */
export function addEncodedSets(pipeline: unknown, sets: readonly EncodedSet[]): boolean {
  if (!(pipeline instanceof Pipeline) || pipeline.isCluster) return false
  // The first command brings the bytes of all: a pipeline leaves as a whole.
  let bytes: Buffer | '' = encode(sets)
  for (const { key } of sets) {
    // With its key for those who trace commands.
    const command = new PreparedCommand('set', [key])
    command.bytes = bytes
    pipeline.sendCommand(command)
    bytes = ''
  }
  return true
}

/** `SET key value PX ttl` of each, in the protocol: every argument behind its length in bytes. */
function encode(sets: readonly EncodedSet[]): Buffer {
  const heads: string[] = []
  let end = ''
  let length = 0
  for (const { key, bytes, ttlMs } of sets) {
    const head = `${end}*5\r\n$3\r\nSET\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n$${bytes.length}\r\n`
    const ttl = String(ttlMs)
    end = `\r\n$2\r\nPX\r\n$${ttl.length}\r\n${ttl}\r\n`
    heads.push(head)
    length += Buffer.byteLength(head) + bytes.length
  }
  const encoded = Buffer.allocUnsafe(length + end.length)
  let at = 0
  for (let i = 0; i < sets.length; i++) {
    const { bytes } = sets[i] as EncodedSet
    at += encoded.write(heads[i] as string, at)
    encoded.set(bytes, at)
    at += bytes.length
  }
  encoded.write(end, at)
  return encoded
}
