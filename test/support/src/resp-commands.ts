/** One command as a client sent it. */
export interface RespCommand {
  /** In capitals. */
  readonly name: string
  readonly args: readonly string[]
  readonly bytes: Buffer
}

const CRLF = '\r\n'

/** Cuts what a client sends into commands (RESP arrays of bulk strings), however the network cut it. */
export class RespCommands {
  #rest: Buffer = Buffer.alloc(0)

  /** @returns the commands that are complete with this chunk; the rest waits for the next */
  read(chunk: Buffer): RespCommand[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const commands: RespCommand[] = []
    for (;;) {
      const command = commandAt(this.#rest)
      if (!command) return commands
      commands.push(command)
      this.#rest = this.#rest.subarray(command.bytes.length)
    }
  }
}

/** The command with which the bytes begin; `undefined` while it is incomplete. */
function commandAt(bytes: Buffer): RespCommand | undefined {
  const first = lineAt(bytes, 0)
  if (!first) return undefined
  if (!first.text.startsWith('*')) return toCommand(first.text.split(' '), bytes.subarray(0, first.end))
  const parts: string[] = []
  let at = first.end
  for (let left = Number(first.text.slice(1)); left > 0; left--) {
    const header = lineAt(bytes, at)
    if (!header) return undefined
    const start = header.end
    const length = Number(header.text.slice(1))
    at = start + length + CRLF.length
    if (at > bytes.length) return undefined
    parts.push(bytes.toString('latin1', start, start + Math.min(length, LONGEST_READ)))
  }
  return toCommand(parts, bytes.subarray(0, at))
}

/** Of a longer argument only the beginning is looked at. */
const LONGEST_READ = 64

function toCommand([name = '', ...args]: readonly string[], bytes: Buffer): RespCommand {
  return { name: name.toUpperCase(), args, bytes }
}

function lineAt(bytes: Buffer, start: number): { readonly text: string; readonly end: number } | undefined {
  const end = bytes.indexOf(CRLF, start)
  return end < 0 ? undefined : { text: bytes.toString('latin1', start, end), end: end + CRLF.length }
}
