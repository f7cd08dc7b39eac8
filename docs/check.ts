/**
 * Fails if a link of the built site leads nowhere: VitePress looks at pages named in Markdown, not at the menu, nor at the
 * headings that links point to.
 */
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const site = fileURLToPath(new URL('.vitepress/dist', import.meta.url))
const base = process.env.DOCS_BASE ?? '/'
const pages = new Map(globSync('**/*.html', { cwd: site }).map(file => [addressOf(file), read(file)]))
const anchors = new Map(
  [...pages].map(([address, html]) => [address, new Set(allOf(html, /\sid="([^"]+)"/g))]),
)

const dead = [...pages].flatMap(([page, html]) =>
  allOf(html, /<a [^>]*href="([^"]+)"/g)
    .filter(href => !/^([a-z]+:|\/\/)/.test(href) && !leadsSomewhere(page, href))
    .map(href => `${page} → ${href}`),
)
if (dead.length > 0) throw new Error(`links that lead nowhere:\n${[...new Set(dead)].join('\n')}`)
console.log(`${pages.size} pages, no dead link`)

function leadsSomewhere(page: string, href: string): boolean {
  const { pathname, hash } = new URL(href, `http://site${page}`)
  const there = anchors.get(pathname)
  return there !== undefined && (hash === '' || there.has(decodeURIComponent(hash.slice(1))))
}

/** As links have it: without `.html`, and that of a directory for its index. */
function addressOf(file: string): string {
  return base + file.replace(/(index)?\.html$/, '')
}

function read(file: string): string {
  return readFileSync(`${site}/${file}`, 'utf8')
}

function allOf(html: string, pattern: RegExp): string[] {
  return [...html.matchAll(pattern)].map(([, found = '']) => found.replaceAll('&amp;', '&'))
}
