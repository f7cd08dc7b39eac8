import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Where and with what it was measured. */
export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly platform: string
  readonly node: string
  /** Version by package. */
  readonly packages: Readonly<Record<string, string>>
}

/** @param packages whose versions matter */
export function describeMachine(packages: readonly string[], now: Date = new Date()): Machine {
  const processors = cpus()
  return {
    date: now.toISOString().slice(0, 10),
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    packages: Object.fromEntries([...new Set(packages)].map(name => [name, installedVersion(name)])),
  }
}

/** A machine in words, for the head of a report. */
export function machineLines({ date, cpu, cores, platform, node, packages }: Machine): string[] {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return [`${date}, Node ${node}, ${platform}`, `${cores} × ${cpu}`, versions.join(', ')]
}

function installedVersion(name: string): string {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url)
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  return version
}
