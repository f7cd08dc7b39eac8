import { Script } from './script.ts'

/** How long a mark lasts that nobody renews: a week. */
const MARK_MS = 7 * 24 * 60 * 60 * 1_000

/** Leaves the server's time, in microseconds, as a mark. `KEYS`: the mark. Returns it. */
export const MARK: Script = new Script(
  `
local time = redis.call('TIME')
local mark = string.format('%.0f', time[1] * 1000000 + time[2])
redis.call('SET', KEYS[1], mark, 'PX', ${MARK_MS})
return mark`,
  'allow-oom',
)
