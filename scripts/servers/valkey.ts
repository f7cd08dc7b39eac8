import { spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { aptGet, outputOf, runAloud, unpackAll } from './apt.ts'
import { find, findIn, onPath } from './find.ts'

/** Where a downloaded Valkey is unpacked, with the libraries that it was built for. */
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/valkey')
const ROOT = join(CACHE, 'root')

/** Debian's next release has a Valkey that is newer than any Redis of Debian: the one with `MSETEX`. */
const RELEASE = 'testing'
const PACKAGES = [
  ...['valkey-server', 'valkey-tools', 'libatomic1', 'libc6', 'libcap2', 'libgcc-s1', 'libjemalloc2'],
  ...['liblzf1', 'libssl3t64', 'libsystemd0', 'libzstd1', 'zlib1g'],
]

/**
 * The `valkey-server` of this machine (`VALKEY_SERVER`), or one that is fetched for the tests alone: nothing is installed for the
 * system. Without any the variable is empty, the tests that need it are skipped, and it says so.
 */
export function ensureValkey(): Readonly<Record<'VALKEY_SERVER', string>> {
  const found = find('valkey-server', 'VALKEY_SERVER') ?? findIn([CACHE], 'valkey-server') ?? fetchValkey()
  if (found === undefined) {
    console.error(
      'No valkey-server found, and none could be fetched: the tests on Valkey are skipped. To run them, name one:  VALKEY_SERVER=/path/to/valkey-server',
    )
  }
  return { VALKEY_SERVER: found ?? '' }
}

function fetchValkey(): string | undefined {
  const archive = onPath('apt-get') && onPath('dpkg-deb') ? debianArchive() : undefined
  if (archive === undefined) return undefined
  console.error('valkey-server not found: fetching a package of Debian')
  rmSync(CACHE, { recursive: true, force: true })
  for (const directory of ['lists/partial', 'cache/archives/partial', 'root']) {
    mkdirSync(join(CACHE, directory), { recursive: true })
  }
  writeFileSync(join(CACHE, 'sources.list'), `deb ${archive} ${RELEASE} main\n`)
  if (!runAloud(ownApt('update'), CACHE) || !runAloud(ownApt('download', ...PACKAGES), CACHE))
    return undefined
  unpackAll(CACHE, ROOT)
  return withOwnLibraries()
}

/** Where this machine gets the packages of Debian from; another distribution's own archive has no such release. */
function debianArchive(): string | undefined {
  const filters = ['Created-By: Packages', 'Origin: Debian', 'Label: Debian', 'Component: main']
  return outputOf(aptGet([], 'indextargets', '--format', '$(REPO_URI)', ...filters))
    .split('\n')
    .find(Boolean)
}

/** With lists of its own: those of the system stay as they are, and nobody has to be root. */
function ownApt(...args: readonly string[]): readonly string[] {
  const options = {
    'Dir::Etc::SourceList': join(CACHE, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(CACHE, 'lists'),
    'Dir::Cache': join(CACHE, 'cache'),
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': '',
  }
  return aptGet(
    [],
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...args,
  )
}

/** A newer release's programs need its C library as well, and its loader to find that. */
function withOwnLibraries(): string | undefined {
  const [loader] = globSync(join(ROOT, 'usr/lib/*/ld-linux*'))
  const [libraries] = globSync(join(ROOT, 'usr/lib/*-linux-gnu'))
  const program = findIn([join(ROOT, 'usr/bin')], 'valkey-server')
  if (!(loader && libraries && program)) return undefined
  const start = join(CACHE, 'valkey-server')
  const command = `exec ${loader} --argv0 valkey-server --library-path ${libraries} ${program} "$@"`
  writeFileSync(start, `#!/bin/sh\n${command}\n`)
  chmodSync(start, 0o755)
  return spawnSync(start, ['--version']).status === 0 ? start : undefined
}
