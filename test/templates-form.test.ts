/** What every example has, so that it can be copied out and be somebody's first commit. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Manifest, root } from '../scripts/pack.ts'

const NEEDED = ['README.md', 'Dockerfile', '.dockerignore', '.gitignore', '.env.example', 'tsconfig.json']

describe.each(readdirSync(join(root, 'examples')))('%s', name => {
  const directory = join(root, 'examples', name)
  const text = (file: string): string => readFileSync(join(directory, file), 'utf8')
  const manifest = JSON.parse(text('package.json')) as Manifest & {
    readonly scripts: Readonly<Record<string, string>>
    readonly devDependencies: Readonly<Record<string, string>>
  }

  test('has all a small app needs', () => {
    expect(NEEDED.filter(file => !existsSync(join(directory, file)))).toEqual([])
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(['start', 'test', 'typecheck']))
    expect(manifest.private).toBe(true)
  })

  test('asks for packages by version, and for ours by the present one', () => {
    for (const [dependency, range] of Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
    })) {
      expect(range, dependency).toMatch(/^\^\d/)
      if (!dependency.startsWith('@cache/')) continue
      const { version } = JSON.parse(
        readFileSync(join(root, dependency.replace('@cache', 'packages'), 'package.json'), 'utf8'),
      )
      expect(range, dependency).toBe(`^${version}`)
    }
  })

  test('looks at nothing outside its folder', () => {
    for (const file of files(directory)) {
      const source = text(file)
      expect(source, file).not.toMatch(/@cache\/test-support|workspace:/)
      for (const [, path = ''] of source.matchAll(/['"(]((?:\.\.\/)+)/g)) {
        const depth = file.split('/').length - 1
        expect(path.length / 3, `${file} goes out by ${path}`).toBeLessThanOrEqual(depth)
      }
    }
  })

  test('its image starts Node itself, as its own user', () => {
    const dockerfile = text('Dockerfile')
    expect(dockerfile).toMatch(/^CMD \["node", "[\w./]+"\]$/m)
    expect(dockerfile).toMatch(/^USER node$/m)
    for (const [, source = ''] of dockerfile.matchAll(/^COPY (?!--from)(\S+)/gm)) {
      expect(source === '.' || source === 'package*.json').toBe(true)
    }
    expect(text('.dockerignore').split('\n')).toEqual(expect.arrayContaining(['node_modules', '.env']))
  })

  test('every variable it reads is in .env.example, and the other way round', () => {
    const sources = files(directory)
      .filter(file => /\.tsx?$/.test(file) && !/^(test|__tests__|src\/demo)\b/.test(file))
      .map(text)
      .join('\n')
    const declared = Array.from(text('.env.example').matchAll(/^([A-Z_]+)=/gm), ([, variable]) => variable)
    for (const variable of declared) expect(sources, `${variable} is read by nobody`).toContain(`${variable}`)
    const destructured = Array.from(
      sources.matchAll(/const \{([^}]*)\} = process\.env/g),
      ([, names]) => names,
    ).join()
    for (const [variable] of destructured.matchAll(/\b[A-Z_]{3,}\b/g)) expect(declared).toContain(variable)
  })
})

function files(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(file => !/(^|\/)(node_modules|dist|\.next)(\/|$)/.test(file))
    .filter(file => /\.(tsx?|json|md)$/.test(file))
}
