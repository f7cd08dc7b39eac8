import type { Command } from './connection.ts'
import { MAGIC, packTimes, SERIALIZER_OFFSET, TIMES_OFFSET } from './envelope.ts'

/**
 * Moves the times inside the envelope and Redis' own expiry together, only if the key holds an entry of ours with a value.
 * Sent as EVAL, not EVALSHA: Redis knows the script by its hash all the same, and a NOSCRIPT answer would make
 * us send it again, behind later writes of the key.
 */
const SCRIPT = `
local head = redis.call('GETRANGE', KEYS[1], 0, ${SERIALIZER_OFFSET})
if string.sub(head, 1, ${MAGIC.length}) ~= ARGV[1] or string.byte(head, ${SERIALIZER_OFFSET + 1}) == 0 then return 0 end
redis.call('SETRANGE', KEYS[1], ${TIMES_OFFSET}, ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`

export function touchCommand(
  key: string,
  times: { readonly freshUntil: number; readonly expiresAt: number; readonly ttlMs: number },
): Command<unknown> {
  const { freshUntil, expiresAt, ttlMs } = times
  return client => client.eval(SCRIPT, 1, key, MAGIC, packTimes(freshUntil, expiresAt), ttlMs)
}
