import { POLICY_NAMES } from '@cache/memory'
import { expect, test } from 'vitest'
import { svgCharts } from '../hit-ratio/chart.ts'
import type { Result } from '../hit-ratio/replay.ts'

function resultNamed(name: string, sizes = [10, 100, 1_000], hitRatio = 0.1): Result {
  return {
    trace: { name, references: new Uint32Array(5_000), unique: 2_000 },
    sizes,
    cells: sizes.flatMap(size =>
      POLICY_NAMES.map((policy, index) => ({
        policy,
        size,
        miss: 1 - hitRatio * Math.log10(size) * (1 - index / 100),
      })),
    ),
  }
}

test('the document is well-formed, whatever a trace is called', () => {
  const svg = svgCharts([resultNamed('a<b> & "c"\u0000\ud800'), resultNamed('other')])
  expect(unclosed(svg)).toEqual([])
  expect(svg).toContain('a&#60;b&#62; &#38; &#34;c&#34;\ufffd\ufffd')
})

test('there is one curve for each policy with a point for each size, and a legend', () => {
  const svg = svgCharts([resultNamed('a')])
  const curves = [...svg.matchAll(/<polyline points="([^"]+)"/g)]
  expect(curves).toHaveLength(POLICY_NAMES.length)
  for (const [, points = ''] of curves) expect(points.split(' ')).toHaveLength(3)
  for (const policy of POLICY_NAMES) expect(svg).toContain(`>${policy}</text>`)
  expect(svg).toContain('>hit ratio</text>')
  expect(svg).toContain('>cache size in entries (logarithmic)</text>')
})

test('no two policies look the same', () => {
  const strokes = [...svgCharts([resultNamed('a')]).matchAll(/<polyline points="[^"]+" (.+?) stroke-width/g)]
  expect(new Set(strokes.map(([, stroke]) => stroke)).size).toBe(POLICY_NAMES.length)
})

test.each([
  ['usual', [10, 100, 1_000], 0.1],
  ['without a hit', [10, 100], 0],
  ['of a single size', [100], 0.1],
  ['of all hits', [10], 1],
  ['over many decades', [1, 10_000_000], 0.1],
])('a chart %s keeps its curves within the plot', (_, sizes, hitRatio) => {
  const svg = svgCharts([resultNamed('a', sizes, hitRatio)])
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  for (const [, points = ''] of svg.matchAll(/<polyline points="([^"]+)"/g)) {
    for (const [x = -1, y = -1] of points.split(' ').map(place => place.split(',').map(Number))) {
      expect(x).toBeGreaterThanOrEqual(70)
      expect(x).toBeLessThanOrEqual(610)
      expect(y).toBeGreaterThanOrEqual(50)
      expect(y).toBeLessThanOrEqual(350)
    }
  }
})

test('more hits are higher up, more entries further to the right', () => {
  const [, points = ''] = /<polyline points="([^"]+)"/.exec(svgCharts([resultNamed('a')])) ?? []
  const places = points.split(' ').map(place => place.split(',').map(Number))
  expect(places.map(([x]) => x)).toEqual(places.map(([x]) => x).toSorted((a = 0, b = 0) => a - b))
  expect(places.map(([, y]) => y)).toEqual(places.map(([, y]) => y).toSorted((a = 0, b = 0) => b - a))
})

/** The tags left open, or closed in the wrong order; text and attributes must hold nothing that looks like a tag. */
function unclosed(xml: string): string[] {
  const open: string[] = []
  const rest = xml.replace(/<(\/?)(\w+)((?: [\w:-]+="[^"<>&]*")*)(\/?)>/g, (_, closing, name, __, empty) => {
    if (closing && open.at(-1) === name) open.pop()
    else if (!empty) open.push(`${closing}${name}`)
    return ''
  })
  return /[<>]|&(?!#\d+;)/.test(rest) ? [...open, 'text'] : open
}
