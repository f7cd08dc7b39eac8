import { renderMermaidSVG } from 'beautiful-mermaid'
import type { MarkdownRenderer } from 'vitepress'

/** Draws the ```mermaid of a page when the site is built: pages need no script to show their pictures. */
export function drawDiagrams(markdown: MarkdownRenderer): void {
  const { fence } = markdown.renderer.rules
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]
    if (token?.info.trim() !== 'mermaid') return fence?.(tokens, index, options, env, self) ?? ''
    const svg = markdown.utils.escapeHtml(JSON.stringify(draw(token.content)))
    return `<div class="diagram" v-html="${svg}"></div>`
  }
}

/** Colours come from the theme, fonts from the page: nothing is fetched from elsewhere. */
function draw(diagram: string): string {
  const colours = { bg: 'var(--vp-c-bg)', fg: 'var(--vp-c-text-1)', accent: 'var(--vp-c-brand-1)' }
  return renderMermaidSVG(diagram, { ...colours, transparent: true }).replace(/@import url\([^)]*\);/, '')
}
