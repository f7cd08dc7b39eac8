import { createHash } from 'node:crypto'
import { exchange, takesBytes } from '../exchange.ts'
import { replyCode } from '../redact.ts'
import type { RedisLike } from '../redis-like.ts'

/** Lets a script write a little though Redis is out of memory. Servers before 7.0 do not understand it. */
const ALLOW_OOM = '#!lua flags=allow-oom\n'

/** A script that Redis runs as one command, known to it by its hash. */
export class Script {
  #source = ''
  #hash = ''

  /** @param need `allow-oom`: it invalidates something, which must not depend on there being room */
  constructor(source: string, need?: 'allow-oom') {
    this.#become(need ? ALLOW_OOM + source.trim() : source.trim())
  }

  /**
   * Runs it; a server that does not know it, since it was restarted or took over, is told.
   *
   * That sends it a second time, behind what was sent meanwhile: nothing may depend on its place among other commands.
   */
  run(
    client: RedisLike,
    keys: readonly (string | Buffer)[],
    args: readonly (string | Buffer | number)[],
  ): Promise<unknown> {
    const reply = takesBytes(client)
      ? exchange(client, String(keys[0]), ['evalsha', this.#hash, keys.length, ...keys, ...args])
      : client.evalsha(this.#hash, keys.length, ...keys, ...args)
    return reply.then(inText, (thrown: unknown) => {
      if (!(thrown instanceof Error) || replyCode(thrown) !== 'NOSCRIPT') throw thrown
      return this.#introduce(client, keys, args)
    })
  }

  async #introduce(
    client: Pick<RedisLike, 'eval'>,
    keys: readonly (string | Buffer)[],
    args: readonly (string | Buffer | number)[],
  ): Promise<unknown> {
    try {
      return await client.eval(this.#source, keys.length, ...keys, ...args)
    } catch (thrown) {
      // What a server before 7.0 says of the first line; the script did not run.
      if (!this.#source.startsWith(ALLOW_OOM) || !/Error compiling script/.test(String(thrown))) throw thrown
      this.#become(this.#source.slice(ALLOW_OOM.length))
      return client.eval(this.#source, keys.length, ...keys, ...args)
    }
  }

  #become(source: string): void {
    this.#source = source
    this.#hash = createHash('sha1').update(source).digest('hex')
  }

  /** As {@link run}, of a script that returns bytes, or nothing. */
  async runBuffer(
    client: Pick<RedisLike, 'callBuffer'>,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<Buffer | null> {
    const answer = await client.callBuffer('EVAL', this.#source, keys.length, ...keys, ...args)
    return Buffer.isBuffer(answer) ? answer : null
  }
}

/** A reply with its texts as texts. */
function inText(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString()
  return Array.isArray(reply) ? reply.map(inText) : reply
}

/** Lua: a part of what a key holds; of what is no string, nothing. Other errors are those of the script. */
export const PART = `
local function part(key, from, to)
  local found = redis.pcall('GETRANGE', key, from, to)
  if type(found) == 'string' then return found end
  if string.find(found.err, 'WRONGTYPE', 1, true) then return '' end
  return redis.call('GETRANGE', key, from, to)
end`

/** Bytes as a Lua string says them. */
export function luaBytes(bytes: Iterable<number>): string {
  return Array.from(bytes, byte => `\\${byte}`).join('')
}
