import { expect, test } from 'vitest'
import { type Column, line, type Snapshot, Table } from '../src/demo/table.ts'

const column: Column = {
  requestsPerSecond: 4_812.4,
  errors: 0,
  hitRatio: 0.912,
  l1HitRatio: 0.713,
  l2HitRatio: 0.199,
  originQueries: 412,
  p50Ms: 1.2,
  p99Ms: 6.31,
}
const snapshot: Snapshot = {
  elapsedSeconds: 12.04,
  durationSeconds: 30,
  recent: column,
  total: { ...column, errors: 3 },
  redis: 'up',
}

function screen(isTTY: boolean) {
  const written: string[] = []
  return { isTTY, written, write: (text: string) => written.push(text) }
}

const ESCAPE = '\u001b'

/** What a terminal shows after `writes`: understands "up n lines" with "erase below", and nothing else. */
function rendered(writes: readonly string[]): string[] {
  const lines: string[] = []
  for (const text of writes) {
    const erases = text.startsWith(ESCAPE)
    if (erases) lines.splice(lines.length - Number.parseInt(text.slice(2), 10))
    const shown = erases ? text.slice(text.indexOf('J') + 1) : text
    lines.push(...shown.split('\n').slice(0, -1))
  }
  return lines
}

test('away from a terminal each second is one plain line with everything in it', () => {
  const out = screen(false)
  new Table(out).show(snapshot)
  expect(out.written).toEqual([`${line(snapshot)}\n`])
  expect(line(snapshot)).toBe(
    ' 12 s  4,812 req/s  hits 91.2 % (memory 71.3 %, redis 19.9 %)  p50 1.20 ms  p99 6.31 ms  origin 412  errors 3  redis: up',
  )
})

test('on a terminal the table is redrawn in place, with now and in all', () => {
  const out = screen(true)
  const table = new Table(out)
  table.show(snapshot)
  const once = rendered(out.written)
  table.show(snapshot)
  table.show(snapshot)
  expect(rendered(out.written)).toEqual(once)
  expect(once.join('\n')).toMatch(/failed requests +0 +3/)
  expect(once.join('\n')).toMatch(/ {2}redis +19\.9 % +19\.9 %/)
})

test('what is said stays, above a table that is there all the time', () => {
  const out = screen(true)
  const table = new Table(out)
  table.say('started')
  table.show(snapshot)
  const drawn = rendered(out.written).slice(1)
  table.say('killed')
  expect(rendered(out.written)).toEqual(['started', 'killed', ...drawn])
  table.show(snapshot)
  expect(rendered(out.written)).toEqual(['started', 'killed', ...drawn])
})

test('the conclusion comes after the table, which stays as it was', () => {
  const out = screen(true)
  const table = new Table(out)
  table.show(snapshot)
  const drawn = rendered(out.written)
  table.conclude('done')
  table.conclude('really')
  expect(rendered(out.written)).toEqual([...drawn, 'done', 'really'])
})
