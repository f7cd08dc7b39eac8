import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { METRICS } from '../src/catalogue/index.ts'
import { alertsYaml } from './alerts.ts'
import { dashboard } from './dashboard.ts'

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** Every generated file, by its path, as it should be. */
export async function generated(): Promise<ReadonlyMap<string, string>> {
  const readme = path('README.md')
  return new Map([
    [path('grafana/cache.json'), `${JSON.stringify(dashboard, undefined, 2)}\n`],
    [path('prometheus/alerts.yml'), alertsYaml()],
    [readme, withTable(await readFile(readme, 'utf8'))],
  ])
}

/** The README with its table of metrics as the catalogue has it. */
function withTable(readme: string): string {
  const rows = METRICS.map(({ name, type, labels, help }) => {
    const quoted = labels.map(label => `\`${label}\``).join(', ')
    return `| \`cache_${name}\` | ${type} | ${quoted} | ${help} |\n`
  })
  return readme.replace(/(\| `cache_.*\n)+/, rows.join(''))
}
