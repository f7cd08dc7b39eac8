import type { Command } from './connection.ts'
import { MAGIC, packTimes, SERIALIZER_OFFSET, TIMES_OFFSET } from './envelope.ts'

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

export function touchCommand(
  key: string,
  times: { readonly freshUntil: number; readonly expiresAt: number; readonly ttlMs: number },
): Command<unknown> {
  const { freshUntil, expiresAt, ttlMs } = times
  return client => client.eval(SCRIPT, 1, key, MAGIC, packTimes(freshUntil, expiresAt), ttlMs)
}
