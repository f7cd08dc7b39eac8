import { fileURLToPath } from 'node:url'
import { type DefaultTheme, defineConfig } from 'vitepress'
import { drawDiagrams } from './diagrams.ts'
import { excluded, linkPages, namesIn, rewrites } from './pages.ts'

/** Where the sources can be read, as the CI of GitHub tells. */
const repository = process.env.GITHUB_REPOSITORY && `https://github.com/${process.env.GITHUB_REPOSITORY}`

export default defineConfig({
  title: '@cache',
  description: 'A caching toolkit for Node services: no outage is visible, no invalidation is lost',
  base: process.env.DOCS_BASE ?? '/',
  srcDir: '..',
  srcExclude: [...excluded],
  rewrites,
  cleanUrls: true,
  // Of the reader's own machine; any other link that leads nowhere fails the build.
  ignoreDeadLinks: 'localhostLinks',
  // Pages lie all over the repository, and what they are compiled to imports Vue from here.
  vite: { resolve: { alias: { vue: fileURLToPath(new URL('../node_modules/vue', import.meta.url)) } } },
  markdown: {
    config(markdown) {
      linkPages(markdown, repository)
      drawDiagrams(markdown)
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Start', link: '/getting-started' },
      { text: 'API', link: '/api/core' },
      { text: 'Benchmarks', link: '/benchmarks/results' },
    ],
    socialLinks: repository ? [{ icon: 'github', link: repository }] : [],
    sidebar: [
      section('Start', {
        'What it is': '/',
        'Getting started': '/getting-started',
        'Best practices': '/best-practices',
        'Questions and answers': '/faq',
        Troubleshooting: '/troubleshooting',
      }),
      section('How it works', {
        Architecture: '/architecture',
        'Read-through': '/read-through',
        'Warm-up': '/warm-up',
        Eviction: '/eviction',
        Reliability: '/reliability',
        'Wire format': '/wire-format',
      }),
      section('In production', {
        Deployments: '/deployments',
        Operations: '/operations',
        'Events, statistics, tracing': '/events',
        'Custom stores': '/custom-stores',
      }),
      section('Coming from', {
        'cacheable, keyv, cache-manager': '/migrating/cacheable',
        'lru-cache': '/migrating/lru-cache',
        bentocache: '/migrating/bentocache',
      }),
      section('Packages', linksTo('packages')),
      section('Examples', linksTo('examples')),
      section('API', linksTo('packages', 'api')),
      section('Project', {
        Benchmarks: '/benchmarks/',
        Results: '/benchmarks/results',
        Contributing: '/contributing',
        Security: '/security',
      }),
    ],
  },
})

function section(text: string, links: Record<string, string>): DefaultTheme.SidebarItem {
  return { text, collapsed: false, items: Object.entries(links).map(([text, link]) => ({ text, link })) }
}

function linksTo(directory: 'packages' | 'examples', at: string = directory): Record<string, string> {
  return Object.fromEntries(namesIn(directory).map(name => [name, `/${at}/${name}`]))
}
