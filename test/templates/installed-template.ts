/** One template, copied out of the repository and installed, as its user has it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { root } from '../../scripts/pack.ts'

const run = promisify(execFile)

export const MANAGERS = ['npm', 'pnpm'] as const
export type Manager = (typeof MANAGERS)[number]

/** `@cache/*` comes from `registry`, everything else from where the machine says. */
const COMMANDS: Readonly<Record<Manager, (registry: string) => readonly string[]>> = {
  npm: registry => ['npm', `--@cache:registry=${registry}`, '--no-audit', '--no-fund'],
  pnpm: registry => ['npx', '--yes', 'pnpm@12', `--config.@cache:registry=${registry}`],
}

/** Nobody's disk or network is that slow; a command that hangs must not hold up the run. */
const COMMAND_TIMEOUT_MS = 300_000
/** How long a service may take to answer its first request. */
const START_MS = 30_000
/** How long a service may take to end, between SIGTERM and its exit. */
const STOP_MS = 10_000

interface TemplateManifest {
  readonly scripts: Readonly<Record<string, string>>
}

export class InstalledTemplate implements AsyncDisposable {
  readonly directory: string
  /** The package manager, as a command. */
  readonly #command: readonly string[]
  readonly #services: Service[] = []

  private constructor(directory: string, command: readonly string[]) {
    this.directory = directory
    this.#command = command
  }

  /** Copies `examples/<name>`, without what this repository put there, and installs it with `@cache/*` from `registry`. */
  static async install(name: string, manager: Manager, registry: string): Promise<InstalledTemplate> {
    const directory = await mkdtemp(join(tmpdir(), `template-${name}-`))
    const template = new InstalledTemplate(directory, COMMANDS[manager](registry))
    try {
      const filter = (source: string): boolean =>
        !/^(node_modules|dist|\.next|\.env|\.turbo)$/.test(basename(source))
      await cp(join(root, 'examples', name), directory, { recursive: true, filter })
      await template.#run(['install', '--prefer-offline'])
      return template
    } catch (error) {
      await template[Symbol.asyncDispose]()
      throw error
    }
  }

  async manifest(): Promise<TemplateManifest> {
    return JSON.parse(await readFile(join(this.directory, 'package.json'), 'utf8'))
  }

  /** Runs a script of the template's `package.json`. */
  script(name: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    return this.#run(['run', name], env)
  }

  /** Starts it as its Dockerfile does, on a free port, and waits until `path` is answered. */
  async start(path: string, env: NodeJS.ProcessEnv = {}): Promise<Service> {
    const dockerfile = await readFile(join(this.directory, 'Dockerfile'), 'utf8')
    const [program, ...args] = JSON.parse(/^CMD (\[.+\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
    if (program !== 'node') throw new Error('the CMD of the Dockerfile must run node itself')
    const port = await freePort()
    const child = spawn(process.execPath, args, {
      cwd: this.directory,
      env: { ...cleanEnvironment(), HOST: '127.0.0.1', PORT: `${port}`, METRICS_PORT: '0', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const service = new Service(child, `http://127.0.0.1:${port}`)
    this.#services.push(service)
    await service.answers(path)
    return service
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#services) service.kill()
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }

  async #run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const command = [...this.#command, ...args]
    const [program = '', ...rest] = command
    const options = {
      cwd: this.directory,
      env: { ...cleanEnvironment(), ...env },
      timeout: COMMAND_TIMEOUT_MS,
      maxBuffer: 64 << 20,
    }
    const { stdout } = await run(program, rest, options).catch(
      (error: Error & { stdout?: string; stderr?: string }) => {
        throw new Error(`${command.join(' ')} failed\n${error.stdout ?? ''}\n${error.stderr ?? ''}`, {
          cause: error,
        })
      },
    )
    return stdout
  }
}

/** A running template. */
export class Service {
  readonly url: string
  readonly #child: ChildProcess
  readonly #stderr: Promise<string>
  readonly #exit: Promise<unknown[]>

  constructor(child: ChildProcess, url: string) {
    this.url = url
    this.#child = child
    this.#stderr = child.stderr ? text(child.stderr) : Promise.resolve('')
    this.#exit = once(child, 'exit')
  }

  /** @throws Error with what it wrote to stderr, when it ends or {@link START_MS} pass before */
  async answers(path: string): Promise<void> {
    const deadline = performance.now() + START_MS
    while (performance.now() < deadline && this.#child.exitCode === null) {
      const status = await fetch(`${this.url}${path}`).then(
        response => response.status,
        () => 0,
      )
      if (status > 0 && status < 500) return
      await sleep(50)
    }
    this.kill()
    throw new Error(`no answer from ${this.url}${path}\n${await this.#stderr}`)
  }

  /** Asks it to end as a platform does; gives its exit code, or what killed it. */
  async stop(): Promise<unknown> {
    const timer = setTimeout(() => this.kill(), STOP_MS)
    this.#child.kill('SIGTERM')
    const [code, signal] = await this.#exit
    clearTimeout(timer)
    return signal ?? code
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** The environment without what a package manager above put there: a user's registry stays, our project goes. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours =
    /^(npm_(package|lifecycle|command|execpath|node_execpath|config_local_prefix)|pnpm_script|PNPM_PACKAGE_NAME|INIT_CWD|NODE_ENV|VITEST|NODE_OPTIONS|TEST$|VITE_|BASE_URL|MODE$|DEV$|PROD$|SSR$)/
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
  const own = join(root, 'node_modules', '.bin')
  // The Node of the repository, and none of its tools.
  const path = (env.PATH ?? '').split(delimiter).filter(entry => !entry.startsWith(root) || entry === own)
  return {
    ...env,
    PATH: [join(process.execPath, '..'), ...path.filter(entry => entry !== own)].join(delimiter),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
