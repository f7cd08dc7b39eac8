import { count, mean } from '../lib/numbers.ts'
import { missOf, type Result } from './replay.ts'

const CHART = { width: 760, height: 420 }
const PLOT = { left: 70, top: 50, width: 540, height: 300 }
const COLUMNS = 2

/** Okabe and Ito's colours for all kinds of sight, yellow left out. Beyond, they come again with dashes. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#000000', '#56b4e9', '#e69f00', '#7f7f7f']

/** Hit ratio over cache size, one curve a policy, one chart a trace, as an SVG document. */
export function svgCharts(results: readonly Result[]): string {
  const columns = Math.min(COLUMNS, results.length)
  const width = CHART.width * columns
  const height = CHART.height * Math.ceil(results.length / columns)
  const charts = results.map((result, index) => {
    const x = (index % columns) * CHART.width
    const y = Math.floor(index / columns) * CHART.height
    return `<g transform="translate(${x} ${y})">\n${chart(result)}\n</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" fill="#333">
<title>Hit ratio over cache size</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${charts.join('\n')}
</svg>
`
}

/** From a size and a hit ratio to a place on the plot. */
interface Axes {
  x(size: number): number
  y(hitRatio: number): number
}

interface Curve {
  readonly policy: string
  readonly points: readonly { readonly size: number; readonly hitRatio: number }[]
  readonly stroke: string
}

function chart(result: Result): string {
  const { trace, sizes } = result
  const curves = curvesOf(result)
  const ticks = ratioTicks(
    Math.max(...curves.flatMap(({ points }) => points.map(({ hitRatio }) => hitRatio))),
  )
  const top = ticks.at(-1) as number
  const [low = 1] = sizes
  const range = Math.log((sizes.at(-1) ?? low) / low) || 1
  const axes: Axes = {
    x: size => PLOT.left + (Math.log(size / low) / range) * PLOT.width,
    y: hitRatio => PLOT.top + (1 - hitRatio / top) * PLOT.height,
  }
  const title = `${trace.name}: ${count(trace.references.length)} references, ${count(trace.unique)} keys`
  return [
    text({ x: PLOT.left, y: 28, content: title, extra: 'font-size="16" font-weight="600"' }),
    ...ratioAxis(axes, ticks),
    ...sizeAxis(axes, low, sizes.at(-1) ?? low),
    ...curves.map(curve => polyline(curve, axes)),
    ...legend(curves),
  ].join('\n')
}

/** The best first, as they end up from top to bottom; a policy keeps its colour in all charts. */
function curvesOf(result: Result): Curve[] {
  const policies = [...new Set(result.cells.map(({ policy }) => policy))]
  return policies
    .map((policy, index) => ({
      policy,
      points: result.sizes.map(size => ({ size, hitRatio: 1 - missOf(result, policy, size) })),
      stroke: strokeOf(index),
    }))
    .toSorted((a, b) => meanHitRatio(b) - meanHitRatio(a))
}

function meanHitRatio({ points }: Curve): number {
  return mean(points.map(({ hitRatio }) => hitRatio))
}

function strokeOf(index: number): string {
  const dashes = index < COLOURS.length ? '' : ' stroke-dasharray="6 3"'
  return `stroke="${COLOURS[index % COLOURS.length]}"${dashes} stroke-width="2" fill="none"`
}

function polyline({ points, stroke }: Curve, { x, y }: Axes): string {
  const places = points.map(({ size, hitRatio }) => `${fixed(x(size))},${fixed(y(hitRatio))}`)
  return `<polyline points="${places.join(' ')}" ${stroke} stroke-linejoin="round"/>`
}

function ratioAxis({ y }: Axes, ticks: readonly number[]): string[] {
  return [
    ...ticks.flatMap(tick => [
      `<path d="M${PLOT.left} ${fixed(y(tick))}h${PLOT.width}" stroke="${tick === 0 ? '#333' : '#ddd'}"/>`,
      text({ x: PLOT.left - 8, y: y(tick) + 4, content: percentage(tick), extra: 'text-anchor="end"' }),
    ]),
    text({
      x: 0,
      y: 0,
      content: 'hit ratio',
      extra: `text-anchor="middle" transform="translate(18 ${PLOT.top + PLOT.height / 2}) rotate(-90)"`,
    }),
  ]
}

function sizeAxis({ x }: Axes, low: number, high: number): string[] {
  const bottom = PLOT.top + PLOT.height
  return [
    ...sizeTicks(low, high).flatMap(tick => [
      `<path d="M${fixed(x(tick))} ${bottom}v5" stroke="#333"/>`,
      text({ x: x(tick), y: bottom + 20, content: count(tick), extra: 'text-anchor="middle"' }),
    ]),
    text({
      x: PLOT.left + PLOT.width / 2,
      y: bottom + 44,
      content: 'cache size in entries (logarithmic)',
      extra: 'text-anchor="middle"',
    }),
  ]
}

/** 1, 2, 5, 10, … within the range; powers of ten alone if that is crowded, the ends if it is empty. */
function sizeTicks(low: number, high: number): number[] {
  const decades = Array.from({ length: Math.floor(Math.log10(high)) + 1 }, (_, power) => 10 ** power)
  const within = (ticks: number[]): number[] => ticks.filter(tick => tick >= low && tick <= high)
  const fine = within(decades.flatMap(decade => [decade, 2 * decade, 5 * decade]))
  const ticks = fine.length > 9 ? within(decades) : fine
  return ticks.length > 1 ? ticks : [...new Set([low, high])]
}

function legend(curves: readonly Curve[]): string[] {
  const left = PLOT.left + PLOT.width + 20
  return curves.flatMap(({ policy, stroke }, index) => {
    const y = PLOT.top + 10 + index * 22
    return [`<path d="M${left} ${y}h24" ${stroke}/>`, text({ x: left + 32, y: y + 4, content: policy })]
  })
}

interface Label {
  readonly x: number
  readonly y: number
  readonly content: string
  readonly extra?: string
}

function text({ x, y, content, extra = '' }: Label): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}"${extra === '' ? '' : ` ${extra}`}>${escapeXml(content)}</text>`
}

/** Gridlines at round percentages up to just above `highest`; to 10 % at least, or noise would look like news. */
function ratioTicks(highest: number): number[] {
  const reach = Math.max(10, highest * 100)
  const step = [2, 5, 10, 20].find(percents => reach <= 5 * percents) ?? 20
  return Array.from({ length: Math.ceil(reach / step) + 1 }, (_, i) => (i * step) / 100)
}

function percentage(ratio: number): string {
  return `${Math.round(ratio * 100)} %`
}

function fixed(coordinate: number): string {
  return String(Number(coordinate.toFixed(1)))
}

/** Also without the characters that XML cannot hold at all. */
function escapeXml(content: string): string {
  return content
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '\ufffd')
    .replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
