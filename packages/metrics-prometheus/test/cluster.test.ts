import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the workers of a cluster are one service: counters, histograms and sizes add up', async () => {
  const program = fileURLToPath(new URL('cluster-worker.ts', import.meta.url))
  const service = spawn(process.execPath, ['--conditions=@cache/source', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [url] = await once(service.stdout, 'data')
    const page = await (await fetch(`${url}`.trim())).text()
    expect(page).toContain('cache_requests_total{cache="products",outcome="hit"} 4\n')
    expect(page).toContain('cache_requests_total{cache="products",outcome="miss"} 2\n')
    expect(page).toContain('cache_load_duration_seconds_count{cache="products",outcome="ok"} 2\n')
    expect(page).toContain('cache_items{cache="products",tier="memory"} 2\n')
    expect(page).toContain('cache_items_limit{cache="products",tier="memory"} 20\n')
  } finally {
    service.kill()
    await once(service, 'exit')
  }
})
