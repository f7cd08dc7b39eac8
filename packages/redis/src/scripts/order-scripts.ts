import { MAGIC, STAMP_LENGTH, STAMP_OFFSET, VERSION } from '../envelope.ts'
import { luaBytes, PART, Script } from './script.ts'

/** Scopes cleared and not swept yet; more than these become one clear of everything. */
export const MAX_CLEARS = 1_000
/** Invalidated tags remembered for entries that were being loaded at the time. */
const MAX_RECENT = 10_000

/**
 * Reading our own keys, to which anybody may have written anything. What is of another type is removed, what is no version
 * (later than a day from now, say: see `isVersion`) counts as nothing.
 */
const READ = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function plausible(text)
  local version = tonumber(text or '')
  if version and version >= 0 and version <= now + 86400000000 then return version end
end
local function unless_foreign(key, found, ...)
  if type(found) ~= 'table' or not found.err then return found end
  if not string.find(found.err, 'WRONGTYPE', 1, true) then error(found.err, 0) end
  redis.call('UNLINK', key)
  return ...
end
local function held(key) return unless_foreign(key, redis.pcall('GET', key), false) end
local function oldest_in(key) return unless_foreign(key, redis.pcall('ZRANGE', key, 0, 0, 'WITHSCORES'), {}) end`

/**
 * The latest version, if there is one. The clears are always there beside it: if they are not, Redis has evicted them, and all
 * that is older than the latest version counts as cleared.
 */
const LAST = `
local known = plausible(held(KEYS[1]))
if not held(KEYS[2]) then
  redis.call('SET', KEYS[2], known and '{"":"' .. string.format('%.0f', known) .. '"}' or '{}')
end`

/**
 * The next version of the order in which things are invalidated: the server's time in microseconds, but later than the last
 * in any case, and than the latest that the caller (`ARGV[1]`) heard of. So it never falls back, should Redis lose it, or
 * another server with another clock take over.
 */
const NEXT = `
local last = math.max(known or 0, plausible(ARGV[1]) or 0)
local version = math.max(now, last + 1)
local text = string.format('%.0f', version)
redis.call('SET', KEYS[1], text)`

/** The scopes under way, by version; of what is unreadable it is certain only that something was cleared. */
const READ_CLEARS = `
local readable, clears = pcall(cjson.decode, held(KEYS[2]) or '{}')
if readable and type(clears) == 'table' then
  for _, cleared in pairs(clears) do readable = readable and type(cleared) == 'string' and plausible(cleared) end
end
if not readable or type(clears) ~= 'table' then clears = { [''] = text } end`

/** `KEYS`: last, clears. `ARGV`: the latest version known. Returns that of the latest invalidation, or of now if none is known. */
export const CURRENT: Script = new Script(`${READ}
${LAST}
if known then return string.format('%.0f', known) end
${NEXT}
return text`)

/**
 * From here on everything under a scope that is older than the returned version is gone.
 *
 * `KEYS`: last, clears. `ARGV`: the latest version known, scope, channel, message without its closing brace. Returns the
 * version, and 1 or why the other processes could not be told.
 */
export const CLEAR: Script = new Script(
  `${READ}
${LAST}
${NEXT}
${READ_CLEARS}
clears[ARGV[2]] = text
local count = 0
for _ in pairs(clears) do count = count + 1 end
if count > ${MAX_CLEARS} then clears = { [''] = text } end
redis.call('SET', KEYS[2], cjson.encode(clears))
local told = redis.pcall('PUBLISH', ARGV[3], ARGV[4] .. ',"version":' .. text .. '}')
return { text, type(told) == 'table' and told.err or 1 }`,
  'allow-oom',
)

/** A scope was swept: nothing older than this version is left. The key stays, even of no scopes: without it they were lost. `KEYS`: last, clears. `ARGV`: scope, version. */
export const SWEPT: Script = new Script(
  `${READ}
local text = ARGV[2]
${READ_CLEARS}
if clears[ARGV[1]] ~= text then return 0 end
clears[ARGV[1]] = nil
redis.call('SET', KEYS[2], cjson.encode(clears))
return 1`,
  'allow-oom',
)

/** Removes entries older than a version, and what is no entry. `KEYS`: entries. `ARGV`: a version for each. Returns how many. */
export const SWEEP: Script = new Script(
  `${PART}
local removed = 0
for i, key in ipairs(KEYS) do
  local head = part(key, 0, ${STAMP_OFFSET + STAMP_LENGTH - 1})
  local ours = #head == ${STAMP_OFFSET + STAMP_LENGTH}
    and string.sub(head, 1, ${MAGIC.length + 1}) == '${luaBytes([...MAGIC, VERSION])}'
  if not (ours and struct.unpack('>d', string.sub(head, ${STAMP_OFFSET + 1})) >= tonumber(ARGV[i])) then
    removed = removed + redis.call('UNLINK', key)
  end
end
return removed`,
  'allow-oom',
)

/**
 * From here on every entry that has one of the tags and is older than the returned version is outdated.
 *
 * A tag that has no marker has no entry that counts, save those being loaded now: for them it is kept among the recent.
 *
 * `KEYS`: last, clears, recent, the markers of the tags. `ARGV`: the latest version known, channel, message without its closing
 * brace, the tags. Returns as {@link CLEAR}.
 */
export const INVALIDATE_TAGS: Script = new Script(
  `${READ}
${LAST}
${NEXT}
oldest_in(KEYS[3])
for i = 4, #KEYS do
  local left = redis.call('PTTL', KEYS[i])
  if left > 0 then redis.call('SET', KEYS[i], text, 'PX', left)
  elseif left == -1 then redis.call('SET', KEYS[i], text) end
  redis.call('ZADD', KEYS[3], text, ARGV[i])
end
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -${MAX_RECENT + 1})
local told = redis.pcall('PUBLISH', ARGV[2], ARGV[3] .. ',"version":' .. text .. '}')
return { text, type(told) == 'table' and told.err or 1 }`,
  'allow-oom',
)

/**
 * Sees to it that tags have markers that outlive an entry: an entry whose tag has none does not count, so a marker
 * lost to eviction invalidates what it stood for.
 *
 * A new marker gets the version of the latest invalidation of its tag, if that is among the recent; the entry's own stamp
 * if there was none since; and if the recent ones do not reach back so far, that of the latest invalidation of any.
 *
 * `KEYS`: last, clears, recent, the markers. `ARGV`: stamp of the entry, milliseconds, the tags. Returns the latest version of any, which is
 * made if there is none, and those of the tags.
 */
export const MARK_TAGS: Script = new Script(`${READ}
${LAST}
local stamp = tonumber(ARGV[1])
local last = known
local oldest = plausible(oldest_in(KEYS[3])[2])
local reaches = (last and stamp >= last) or (oldest and stamp >= oldest)
if not last then
  last = math.max(now, stamp + 1)
  redis.call('SET', KEYS[1], string.format('%.0f', last))
end
local versions = { string.format('%.0f', last) }
for i = 4, #KEYS do
  local version = held(KEYS[i])
  local left = redis.call('PTTL', KEYS[i])
  if not plausible(version) then
    local recent = plausible(redis.call('ZSCORE', KEYS[3], ARGV[i - 1]))
    version = string.format('%.0f', recent or reaches and stamp or last)
    redis.call('SET', KEYS[i], version, 'PX', ARGV[2])
  elseif left >= 0 and left < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
  versions[#versions + 1] = version
end
return versions`)
