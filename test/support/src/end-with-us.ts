import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'

/** Ends when its input does, whoever closed that: us, or the system because we are gone. */
const WATCH = 'trap "" INT TERM HUP; read -r _; kill -9 "$0"; rm -rf -- "$1"'

/**
 * Sees to it that a process does not outlive this one, also if this one is killed: a server is no child that would notice by
 * itself. Its directory goes with it.
 */
export function endWithUs(child: ChildProcess, directory: string): void {
  if (child.pid === undefined) return
  const watcher = spawn('sh', ['-c', WATCH, `${child.pid}`, directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Its id may be another's from then on.
  child.once('exit', () => watcher.kill('SIGKILL'))
  watcher.on('error', () => {})
  watcher.stdin.on('error', () => {})
  watcher.unref()
  ;(watcher.stdin as unknown as { unref(): void }).unref()
}
