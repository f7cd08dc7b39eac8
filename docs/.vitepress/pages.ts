/**
 * Where the pages of the site come from. They lie where a reader of the repository looks for them; the site shows the
 * same files, and a link between two files becomes one between two pages.
 */
import { globSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MarkdownRenderer } from 'vitepress'

const root = new URL('../../', import.meta.url)

/** From the path of a file in the repository to that of its page, both with `.md`. */
const pages: ReadonlyMap<string, string> = new Map([
  ['README.md', 'index.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['SECURITY.md', 'security.md'],
  ['benchmarks/README.md', 'benchmarks/index.md'],
  ['benchmarks/RESULTS.md', 'benchmarks/results.md'],
  ...filesIn('docs')
    .filter(file => file !== 'README.md')
    .map(file => [`docs/${file}`, file.replace('api/@cache/', 'api/')] as const),
  ...homesIn('packages'),
  ...homesIn('examples'),
])

/** @returns the names of the packages or examples that have a page */
export function namesIn(directory: 'packages' | 'examples'): readonly string[] {
  return homesIn(directory)
    .map(([, page]) => posix.basename(page, '.md'))
    .sort()
}

/** For VitePress: what it would find itself, and where to put it. */
export const rewrites: Record<string, string> = Object.fromEntries(pages)

/** For VitePress: every other Markdown file of the repository. */
export const excluded: readonly string[] = filesIn('.').filter(file => !pages.has(file))

/**
 * Makes links between files links between pages. What has no page is linked to in the repository, whose address is
 * `repository`; without one it is no link.
 */
export function linkPages(markdown: MarkdownRenderer, repository: string | undefined): void {
  markdown.core.ruler.push('link-pages', ({ tokens, env }) => {
    const from = env.realPath ? posix.relative(root.pathname, env.realPath) : env.relativePath
    const links = tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === 'link_open')
    for (const link of links) {
      const href = link.attrGet('href') ?? ''
      if (/^(#|\/|[a-z]+:)/.test(href)) continue
      link.attrSet('href', addressOf(posix.dirname(from), href, repository))
    }
  })
}

function addressOf(directory: string, href: string, repository: string | undefined): string {
  const [path = '', anchor] = href.split('#')
  const target = posix.join(directory, path).replace(/\/$/, '')
  const page = pages.get(target) ?? pages.get(`${target}/README.md`) ?? (target === 'docs' && 'index.md')
  const hash = anchor ? `#${anchor}` : ''
  if (page) return `/${page.replace(/(index)?\.md$/, '')}${hash}`
  return repository ? `${repository}/blob/main/${target}${hash}` : '#'
}

function homesIn(directory: string): [file: string, page: string][] {
  return filesIn(directory)
    .filter(file => /^[^/]+\/README\.md$/.test(file))
    .map(file => [`${directory}/${file}`, `${directory}/${posix.dirname(file)}.md`])
}

/** @returns the Markdown files below a directory, by their paths from there */
function filesIn(directory: string): string[] {
  const cwd = fileURLToPath(new URL(directory, root))
  return globSync('**/*.md', { cwd, exclude: name => /^(node_modules|dist|\..+)$/.test(name) })
}
