/**
 * Makes sure that a `redis-server` exists, then runs the command given to it with `REDIS_SERVER` naming the binary:
 *
 *     node scripts/ensure-redis.ts vitest run
 *
 * Looks at `REDIS_SERVER`, then at `PATH`, then where package managers put it; installs it where that needs no
 * question (apt as root or with a passwordless sudo, Homebrew); else says what to run and fails. There is no skipping:
 * the promises of this repository are about real servers.
 */
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const USUAL_DIRECTORIES = [
  '/usr/bin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
]

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

function main(command: readonly string[]): void {
  const binary = findRedis() ?? installRedis()
  const [program, ...args] = command
  if (!program) {
    console.log(binary)
    return
  }
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, REDIS_SERVER: binary } })
  child.once('error', error => fail(`cannot run ${program}: ${error.message}`))
  child.once('exit', code => {
    process.exitCode = code ?? 1
  })
}

function findRedis(): string | undefined {
  const named = process.env.REDIS_SERVER
  if (named) {
    const found = named.includes('/') ? isExecutable(named) && named : onPath(named)
    return found || fail(`REDIS_SERVER=${named} is not an executable file; correct it, or unset it`)
  }
  return onPath('redis-server') ?? findIn(USUAL_DIRECTORIES, 'redis-server')
}

function installRedis(): string {
  const installer = INSTALLERS.find(({ tool }) => onPath(tool))
  const commands = installer?.commands?.()
  for (const [program = '', ...args] of commands ?? []) {
    console.error(`redis-server not found: ${[program, ...args].join(' ')}`)
    // A failing `update` is no reason to stop: the install may work with the lists that are there.
    spawnSync(program, args, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
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
  const apt = [...root, 'apt-get', '-o', 'DPkg::Lock::Timeout=120']
  // Reinstalling repairs a package whose binary is gone, and is a plain install where there was none.
  return [
    [...apt, 'update'],
    [...apt, 'install', '-y', '--reinstall', 'redis-server'],
  ]
}

/** What makes a command run as root without a question, if anything does. */
function rootPrefix(): readonly string[] | undefined {
  if (process.getuid?.() === 0) return []
  const sudo = onPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  return sudo ? ['sudo', '-n'] : undefined
}

function onPath(name: string): string | undefined {
  return findIn((process.env.PATH ?? '').split(delimiter).filter(Boolean), name)
}

function findIn(directories: readonly string[], name: string): string | undefined {
  return directories.map(directory => join(directory, name)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

main(process.argv.slice(2))
