import {
  CREATED_OFFSET,
  MAGIC,
  REFRESHED_UNTIL_OFFSET,
  SERIALIZER_OFFSET,
  TOKEN_LENGTH,
  TOKEN_OFFSET,
} from '../envelope.ts'
import { luaBytes, PART, Script } from './script.ts'

/** Bytes at an offset. */
const at = (offset: number, length: number): string => `part(KEYS[1], ${offset}, ${offset + length - 1})`

/**
 * A lease over an entry lies in the entry: its token is that of the lease, and beside it stands until when it is being
 * refreshed, by the server's clock. The entry lasts as long as the lease at least, or the lease would end with it.
 */
const OVER_ENTRY = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local function refreshed_until()
  local bytes = ${at(REFRESHED_UNTIL_OFFSET, 8)}
  return #bytes == 8 and struct.unpack('>d', bytes) or 0
end
local function refresh(ms)
  redis.call('SETRANGE', KEYS[1], ${REFRESHED_UNTIL_OFFSET}, struct.pack('>d', ms > 0 and now + ms or 0))
  if redis.call('PTTL', KEYS[1]) < ms then redis.call('PEXPIRE', KEYS[1], ms) end
end
local is_entry = ${at(SERIALIZER_OFFSET, 1)} ~= '\\0'`

/** The lease that a key holds now. */
const TOKEN = `part(KEYS[1], ${TOKEN_OFFSET}, ${TOKEN_OFFSET + TOKEN_LENGTH - 1})`

/**
 * Reads, and leaves a placeholder with a lease where nothing is: `SET … NX GET`, for servers before 7.0.
 *
 * `KEYS`: the entry. `ARGV`: the placeholder, milliseconds.
 */
export const READ_OR_LEASE: Script = new Script(`
local found = redis.call('GET', KEYS[1])
if not found then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return found`)

/**
 * Puts a placeholder with a lease in place of what was read and is not usable, unless it has changed meanwhile.
 *
 * `KEYS`: the entry. `ARGV`: the token it had, or nothing if it is none of ours; the placeholder, milliseconds. Returns
 * whether it did.
 */
export const LEASE_OVER: Script = new Script(`${PART}${OVER_ENTRY}
local magic = part(KEYS[1], 0, ${MAGIC.length - 1})
local token = ${TOKEN}
if magic == '${luaBytes(MAGIC)}' and (token ~= ARGV[1] or refreshed_until() > now) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

/**
 * Grants the lease over an entry that is still there and that nobody refreshes: it stays until what is loaded replaces it.
 *
 * `KEYS`: the entry. `ARGV`: the token it had, the token of the lease, milliseconds. Returns whether it did.
 */
export const LEASE_REFRESH: Script = new Script(`${PART}${OVER_ENTRY}
if ${TOKEN} ~= ARGV[1] or refreshed_until() > now then return 0 end
redis.call('SETRANGE', KEYS[1], ${TOKEN_OFFSET}, ARGV[2])
refresh(tonumber(ARGV[3]))
return 1`)

/**
 * Stores a value if its lease still stands, and says so to the other processes.
 *
 * `KEYS`: the entry. `ARGV`: token, envelope, milliseconds, channel, message. Returns 0 if the lease was lost, 1 if stored,
 * and the error if stored, but the others could not be told.
 */
export const FILL: Script = new Script(`${PART}
if ${TOKEN} ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
local told = redis.pcall('PUBLISH', ARGV[4], ARGV[5])
return type(told) == 'table' and told.err or 1`)

/**
 * Stores a value in the place of an entry that was created at a given time, and says so to the other processes.
 *
 * `KEYS`: the entry. `ARGV`: createdAt as it lies in an envelope; the rest as of {@link FILL}, and returned likewise.
 */
export const REPLACE: Script = new Script(`${PART}
if part(KEYS[1], 0, ${MAGIC.length - 1}) ~= '${luaBytes(MAGIC)}' then return 0 end
if part(KEYS[1], ${CREATED_OFFSET}, ${CREATED_OFFSET + 7}) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
local told = redis.pcall('PUBLISH', ARGV[4], ARGV[5])
return type(told) == 'table' and told.err or 1`)

/** `KEYS`: the entry. `ARGV`: token, milliseconds from now. Returns whether the lease still stood. */
export const RENEW: Script = new Script(`${PART}${OVER_ENTRY}
if ${TOKEN} ~= ARGV[1] then return 0 end
if not is_entry then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
refresh(tonumber(ARGV[2]))
return 1`)

/** Removes a placeholder; an entry is as if it had never been leased. `KEYS`: the entry. `ARGV`: token. */
export const RELEASE: Script = new Script(`${PART}${OVER_ENTRY}
if ${TOKEN} ~= ARGV[1] then return 0 end
if not is_entry then return redis.call('UNLINK', KEYS[1]) end
refresh(0)
return 1`)
