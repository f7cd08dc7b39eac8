import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { aptGet, rootPrefix, runAloud, unpackAll } from './apt.ts'
import { fail, find, findIn, onPath } from './find.ts'

/** Where a downloaded Prometheus is unpacked. */
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/prometheus')
const UNPACKED = join(CACHE, 'usr/bin')

type Variables = Readonly<Record<'PROMETHEUS' | 'PROMTOOL', string>>

/**
 * The Prometheus of this machine (`PROMETHEUS`, `PROMTOOL`), or one that is fetched for the tests alone: nothing is installed
 * for the system and no service is started. Without any this process ends in CI (`CI` is set); elsewhere `PROMETHEUS` is
 * empty, the tests that need it are skipped, and it says so.
 */
export function ensurePrometheus(): Variables {
  const found = findPrometheus() ?? fetchPrometheus()
  if (found) return found
  const advice = [
    'No prometheus and promtool found, and none could be fetched.',
    'Run:  sudo apt-get install --no-install-recommends prometheus   or   brew install prometheus',
    'or name them:  PROMETHEUS=/path/to/prometheus PROMTOOL=/path/to/promtool',
  ]
  if (process.env.CI) return fail(advice.join('\n'))
  const line = '!'.repeat(80)
  console.error(
    [line, ...advice, 'WITHOUT THEM THE TESTS OF METRICS, DASHBOARD AND ALERTS ARE SKIPPED.', line].join(
      '\n',
    ),
  )
  return { PROMETHEUS: '', PROMTOOL: '' }
}

function findPrometheus(): Variables | undefined {
  const PROMETHEUS = find('prometheus', 'PROMETHEUS') ?? findIn([UNPACKED], 'prometheus')
  const PROMTOOL = find('promtool', 'PROMTOOL') ?? findIn([UNPACKED], 'promtool')
  return PROMETHEUS && PROMTOOL ? { PROMETHEUS, PROMTOOL } : undefined
}

function fetchPrometheus(): Variables | undefined {
  if (onPath('apt-get') && onPath('dpkg-deb')) unpackDebian()
  else if (onPath('brew')) runAloud(['brew', 'install', 'prometheus'])
  return findPrometheus()
}

/** Debian's package, unpacked and not installed: its programs need nothing else, and its service is not wanted. */
function unpackDebian(): void {
  console.error('prometheus not found: fetching the package of the distribution')
  rmSync(CACHE, { recursive: true, force: true })
  mkdirSync(CACHE, { recursive: true })
  const download = aptGet([], 'download', 'prometheus')
  const root = rootPrefix()
  // Only if it is not known yet: the lists are root's to bring up to date.
  if (
    !runAloud(download, CACHE) &&
    (!root || !runAloud(aptGet(root, 'update')) || !runAloud(download, CACHE))
  )
    return
  unpackAll(CACHE, CACHE)
}
