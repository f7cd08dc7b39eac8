import { APPLIED, failed, toCacheError, type WriteOutcome } from '@cache/core'
import type { Command } from './connection.ts'
import { MAGIC, packTimes, SERIALIZER_OFFSET, TIMES_OFFSET } from './envelope.ts'
import type { StoreParts } from './store-parts.ts'

/**
 * Moves the times inside the envelope and Redis' own expiry together, each only to a later one, and only if the key holds an entry
 * of ours with a value.
 * Sent as EVAL, not EVALSHA: Redis knows the script by its hash all the same, and a NOSCRIPT answer would make
 * us send it again, behind later writes of the key.
 */
const SCRIPT = `
local head = redis.call('GETRANGE', KEYS[1], 0, ${TIMES_OFFSET + 15})
if string.sub(head, 1, ${MAGIC.length}) ~= ARGV[1] or string.byte(head, ${SERIALIZER_OFFSET + 1}) == 0 then return 0 end
if #head < ${TIMES_OFFSET + 16} then return 0 end
local fresh, ends = struct.unpack('>dd', string.sub(head, ${TIMES_OFFSET + 1}))
local new_fresh, new_ends = struct.unpack('>dd', ARGV[2])
if new_fresh <= fresh and new_ends <= ends then return 0 end
redis.call('SETRANGE', KEYS[1], ${TIMES_OFFSET}, struct.pack('>dd', math.max(fresh, new_fresh), math.max(ends, new_ends)))
if new_ends <= ends then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`

/** What a touched entry is to live until, epoch ms, and its tags. */
interface Touched {
  readonly freshUntil: number
  readonly expiresAt: number
  readonly tags: readonly string[]
}

/** Has an entry live longer, and the markers of its tags as long: a missing one counts for nothing that was there before. */
export async function touch(
  { pool, keys, tags: markers, writer, writeMs, clock }: StoreParts,
  key: string,
  { freshUntil, expiresAt, tags }: Touched,
): Promise<WriteOutcome> {
  const ttlMs = writer.ttlMs({ expiresAt })
  const command: Command<unknown> = client =>
    client.eval(SCRIPT, 1, keys.keyOf(key), MAGIC, packTimes(freshUntil, expiresAt), ttlMs)
  try {
    await Promise.all([
      pool.write('touch', pool.routeOf(key, 0), [key], writeMs, command),
      tags.length > 0 && markers.mark([{ tags, stamp: 0, ttlMs }], clock.now() + writeMs),
    ])
    return APPLIED
  } catch (thrown) {
    return failed(toCacheError(thrown, 'STORE', 'the expiry could not be moved'))
  }
}
