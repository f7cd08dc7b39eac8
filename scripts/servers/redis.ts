import { aptGet, rootPrefix, runAloud } from './apt.ts'
import { fail, find, onPath } from './find.ts'

interface Installer {
  readonly tool: string
  /** How a person runs it, printed when it cannot be run from here. */
  readonly hint: string
  /** The commands that need no answer, if there are any for this user. */
  readonly commands?: () => readonly (readonly string[])[] | undefined
}

const INSTALLERS: readonly Installer[] = [
  {
    tool: 'apt-get',
    hint: 'sudo apt-get update && sudo apt-get install -y redis-server',
    commands: aptCommands,
  },
  { tool: 'brew', hint: 'brew install redis', commands: () => [['brew', 'install', 'redis']] },
  { tool: 'apk', hint: 'sudo apk add redis' },
  { tool: 'dnf', hint: 'sudo dnf install -y redis' },
  { tool: 'pacman', hint: 'sudo pacman -S redis' },
]

/**
 * The `redis-server` of this machine (`REDIS_SERVER`), installed where that needs no question; without one this process
 * ends and says what to run. There is no skipping: the promises of this repository are about real servers.
 */
export function ensureRedis(): Readonly<Record<string, string>> {
  return { REDIS_SERVER: findRedis() ?? installRedis() }
}

function findRedis(): string | undefined {
  return find('redis-server', 'REDIS_SERVER')
}

function installRedis(): string {
  const installer = INSTALLERS.find(({ tool }) => onPath(tool))
  const commands = installer?.commands?.()
  for (const command of commands ?? []) {
    console.error(`redis-server not found: ${command.join(' ')}`)
    // A failing `update` is no reason to stop: the install may work with the lists that are there.
    runAloud(command)
  }
  const found = findRedis()
  if (found) return found
  const advice = installer
    ? `Run:  ${installer.hint}`
    : 'Install Redis: https://redis.io/docs/latest/operate/oss_and_stack/install'
  return fail(
    [
      commands
        ? 'redis-server could not be installed.'
        : 'No redis-server found, and no right to install one.',
      advice,
      'or name a binary:  REDIS_SERVER=/path/to/redis-server',
    ].join('\n'),
  )
}

function aptCommands(): readonly (readonly string[])[] | undefined {
  const root = rootPrefix()
  if (!root) return undefined
  // Reinstalling repairs a package whose binary is gone, and is a plain install where there was none.
  return [aptGet(root, 'update'), aptGet(root, 'install', '-y', '--reinstall', 'redis-server')]
}
